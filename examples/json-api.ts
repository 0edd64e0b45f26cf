// A client of a JSON API: lists, makes, changes and removes, and tells what the server refuses.
import server from './server.json';

interface Player {
  readonly id: number;
  readonly name: string;
  readonly score: number;
  readonly level: number;
}

/** What an API refused, or why it could not be asked. */
class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** -1 if there was no answer. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function call(method: NonNullable<FetchOptions['method']>, path: string, json?: unknown): Promise<Response> {
  const response = await fetch(`http://${server.host}:${server.port}${path}`, {
    method,
    headers: { accept: 'application/json' },
    timeoutMs: 10_000,
    ...(json === undefined ? {} : { body: { json } }),
  });
  if (response.error) throw new ApiError(-1, response.error.message);
  if (!response.ok) throw new ApiError(response.status, response.json<{ error: string }>().error);
  return response;
}

const players = {
  list: async () => (await call('GET', '/players')).json<Player[]>(),
  add: async (player: Partial<Player>) => (await call('POST', '/players', player)).json<Player>(),
  change: async (id: number, change: Partial<Player>) => (await call('PATCH', `/players/${id}`, change)).json<Player>(),
  // 204 has no body, and nothing to parse.
  remove: async (id: number) => void (await call('DELETE', `/players/${id}`)),
};

print((await players.list()).map(({ name }) => name));
const grace = await players.add({ name: 'Grace', level: 3 });
print(grace);
print((await players.change(grace.id, { score: 42 })).score);
await players.remove(grace.id);
print((await players.list()).length);
try {
  await players.change(grace.id, { score: 43 });
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  print(error.status, error.message);
}
