import assert from 'node:assert/strict';
import { request } from 'node:http';

/**
 * Acts in the window as a person does, through the launcher that owns the browser. Each action has a limit of
 * its own there, and fails with what was looked for.
 */
export const browser = {
  /** @param keys as Playwright names them: `F1`, `Control+Enter` */
  press: (keys: string) => act('press', { keys }),
  type: (text: string) => act('type', { text }),
  click: (selector: string) => act('click', { selector }),
  hover: (selector: string) => act('hover', { selector }),
  /** Rests on it until what it shows has come. */
  hoverUntil: (selector: string, shown: string) => act('hoverUntil', { selector, shown }),
  waitFor: (selector: string) => act('waitFor', { selector }),
  /** Waits until it is no longer there. */
  waitGone: (selector: string) => act('waitGone', { selector }),
  /** The visible text of each element that matches. */
  async texts(selector: string): Promise<string[]> {
    const result = await act('texts', { selector });
    assert.ok(Array.isArray(result));
    return result.map(String);
  },
  /** Into test-output/vscode/NAME.png. */
  screenshot: (name: string) => act('screenshot', { name }),
  /** The same, of a window that somebody can look at; a desktop's is left alone. */
  picture: async (name: string): Promise<void> => void (process.env['RIFTNET_TEST_BROWSER'] !== undefined && (await act('screenshot', { name }))),
};

async function act(action: string, fields: Record<string, string>): Promise<unknown> {
  const address = process.env['RIFTNET_TEST_BROWSER'];
  assert.ok(address !== undefined, 'there is a browser to act in');
  const text = await new Promise<string>((resolve, reject) => {
    const call = request(address, { method: 'POST', headers: { 'content-type': 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(JSON.stringify({ action, ...fields }));
  });
  const answer = JSON.parse(text) as { result?: unknown; error?: string };
  if (answer.error !== undefined) throw new Error(`${action} ${JSON.stringify(fields)}: ${answer.error}`);
  return answer.result;
}
