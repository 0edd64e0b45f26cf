/**
 * The HTTP client of scripts: undici over sockets of the stack. A bundle of its own, compiled when a script
 * first calls `fetch`, with Node's timers and `process` as parameters (see load-http.ts): the script's global
 * scope has its own timers, or none.
 */
import type { Fetch, HttpHost, HttpSettings } from '../fetch';
import { HttpConnection } from './connection';
import { Exchange, type ExchangeContext } from './exchange';
import { ConnectionPool } from './pool';
import { limitRunningTime, limitTime } from './time-limit';
import { Tls } from './tls';

/** A body, what it came encoded as, and both on the way fit into a script's memory together. */
const BODY_SHARE = 4;

export function createFetch(host: HttpHost, { memoryMb, extraCaCertificates, debug }: HttpSettings): Fetch {
  const tls = new Tls(extraCaCertificates);
  const pool = new ConnectionPool((origin) => new HttpConnection(origin, host, tls));
  const context: ExchangeContext = { pool, host, defaultMaxBodyBytes: Math.floor((memoryMb * 1_048_576) / BODY_SHARE), limitTime: debug ? limitRunningTime : limitTime };
  let lastId = 0;
  return (uri, options) => new Exchange(++lastId, context).run(uri, options);
}
