'use strict';
/*
 * Lets a suite, which runs in the extension host, do what a person does in the window: a small HTTP server on
 * loopback that passes actions on to the page. Its address carries a secret, so that no other program drives it.
 */
const { randomUUID } = require('node:crypto');
const http = require('node:http');
const path = require('node:path');

/** A person would have lost patience too. */
const ACTION_TIMEOUT_MS = 15_000;

/** Each takes the page and the action's own fields, and returns what the suite gets. */
const ACTIONS = {
  press: (page, { keys }) => page.keyboard.press(keys),
  type: (page, { text }) => page.keyboard.type(text, { delay: 5 }),
  click: (page, { selector }) => page.locator(selector).first().click({ timeout: ACTION_TIMEOUT_MS }),
  hover: (page, { selector }) => page.locator(selector).first().hover({ timeout: ACTION_TIMEOUT_MS }),
  /** Rests on an element until what it shows has come: a list that is drawn anew takes the first try away. */
  hoverUntil: async (page, { selector, shown }) => {
    for (const deadline = Date.now() + 2 * ACTION_TIMEOUT_MS; ; ) {
      await page.mouse.move(640, 5);
      await page.locator(selector).first().hover({ timeout: ACTION_TIMEOUT_MS });
      const seen = await page.locator(shown).first().waitFor({ timeout: 4_000 }).then(() => true, () => false);
      if (seen) return;
      if (Date.now() > deadline) throw new Error(`${shown} was not shown within ${(2 * ACTION_TIMEOUT_MS) / 1000} s`);
    }
  },
  /** Waits until it is there. */
  waitFor: (page, { selector }) => page.locator(selector).first().waitFor({ timeout: ACTION_TIMEOUT_MS }),
  waitGone: (page, { selector }) => page.locator(selector).first().waitFor({ state: 'detached', timeout: ACTION_TIMEOUT_MS }),
  texts: (page, { selector }) => page.locator(selector).allInnerTexts(),
  screenshot: async (page, { file }) => void (await page.screenshot({ path: file, timeout: ACTION_TIMEOUT_MS })),
};

async function readJson(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/**
 * @param currentPage the window that is open now
 * @param outputFolder where screenshots go
 */
async function startBrowserControl(currentPage, outputFolder) {
  const secret = `/${randomUUID()}`;
  const perform = async (request) => {
    const { action, name, ...fields } = await readJson(request);
    if (!Object.hasOwn(ACTIONS, action)) throw new Error(`there is no action ${action}; there are ${Object.keys(ACTIONS).join(', ')}`);
    if (action === 'screenshot') fields.file = path.join(outputFolder, `${path.basename(name)}.png`);
    return ACTIONS[action](currentPage(), fields);
  };
  const server = http.createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== secret) return void response.writeHead(404).end();
    const [status, answer] = await perform(request).then(
      (result) => [200, { result: result ?? null }],
      (error) => [500, { error: error.message }],
    );
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}${secret}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

module.exports = { startBrowserControl };
