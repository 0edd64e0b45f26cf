// A page, then a change to a resource, with what comes back.
import server from './server.json';

const base = `http://${server.host}:${server.port}`;

interface Player {
  id: number;
  name: string;
  score: number;
  level: number;
}

const page = await fetch(`${base}/`);
print(page.status, page.headers['content-type'], page.body.length);

const changed = await fetch(`${base}/players/1`, { method: 'PATCH', body: { json: { name: 'Grace', score: 42 } } });
const player = changed.json<Player>();
print(player.id, player.name, player.score, player.level);
