/** Makes the requests of requests.json, each group one after the other and the groups at once; prints a line of JSON for each. */
import groups from './requests.json';

for (const result of await Promise.all(groups.map(run))) print(...result.map((line) => `${line}\n`));

async function run(requests: (typeof groups)[number]): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, url, options, bodyBase64, waitMs } of requests) {
    if (waitMs !== undefined) await new Promise((resolve) => setTimeout(() => resolve(null), waitMs));
    const body = bodyBase64 === undefined ? {} : { body: Buffer.from(bodyBase64, 'base64') };
    const response = await fetch(url, { ...options, ...body } as FetchOptions);
    const { status, statusMessage, headers, ok, error, timings } = response;
    lines.push(JSON.stringify({ name, status, statusMessage, headers, ok, url: response.url, error, timings, body: response.body.toString('base64') }));
  }
  return lines;
}
