/** Makes the requests of requests.json: the groups at once, what is in a group one after the other. Prints all that came of them as JSON. */
import orders from './requests.json';

interface Order {
  readonly url: string;
  readonly options?: FetchOptions;
  readonly bodyBase64?: string;
  readonly waitMs?: number;
}

const groups = orders as readonly (readonly Order[])[];
print(JSON.stringify(await Promise.all(groups.map(run))));

async function run(group: readonly Order[]) {
  const results = [];
  for (const { url, options, bodyBase64, waitMs } of group) {
    if (waitMs !== undefined) await new Promise((resolve) => Engine.Delay(resolve, waitMs));
    const response = await fetch(url, { ...options, ...(bodyBase64 === undefined ? {} : { body: Buffer.from(bodyBase64, 'base64') }) });
    const { status, statusMessage, headers, ok, error, timings, body } = response;
    results.push({ status, statusMessage, headers, ok, url: response.url, error, timings, body: body.toString('base64') });
  }
  return results;
}
