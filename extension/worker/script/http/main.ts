/**
 * The HTTP client of scripts: undici over sockets of the stack. A bundle of its own, compiled when a script
 * first calls `fetch`, with Node's timers and `process` as parameters (see load-http.ts): the script's global
 * scope has its own timers, or none.
 */
import type { Fetch, HttpHost } from '../fetch';
import { createAgent } from './agent';
import { Exchange } from './exchange';

export function createFetch(host: HttpHost): Fetch {
  const agent = createAgent(host);
  let lastId = 0;
  return (uri, options) => new Exchange(++lastId, agent, host).run(uri, options);
}
