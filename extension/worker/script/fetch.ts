/** `fetch` as scripts see it: the HTTP client is loaded on first use, so that other scripts start without it. */
import type { FetchReport } from '../../protocol';
import type { Channel } from './channel';

/** What the HTTP client may use of the script's process. */
export interface HttpHost {
  open(host: string, port: number, fetchId: number, firstWindowBytes: number): Channel;
  reportFetch(report: Omit<FetchReport, 'runId'>): void;
  /** Keeps the process alive until the returned function is called. */
  hold(): () => void;
}

export interface HttpSettings {
  /** What the script's process may use, MiB. */
  readonly memoryMb: number;
  /** PEM of authorities that are trusted beside Node's own; may be empty. */
  readonly extraCaCertificates: string;
  /** A debugger may hold the script up. */
  readonly debug: boolean;
}

export type Fetch = (uri: unknown, options?: unknown) => Promise<unknown>;

/** What the client's bundle exports. */
export interface HttpModule {
  createFetch(host: HttpHost, settings: HttpSettings): Fetch;
}

export function createFetch(host: HttpHost, settings: HttpSettings, load: () => HttpModule): Fetch {
  let fetch: Fetch | null = null;
  return (uri, options) => {
    fetch ??= load().createFetch(host, settings);
    return fetch(uri, options);
  };
}
