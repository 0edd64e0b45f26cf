/** Runs fetches of a script over a link, and tells what each came to. The suites take the link as an argument. */
import os from 'node:os';
import { localNetworks } from '../../../stack/gateway/host-address';
import { chooseSubnet } from '../../../stack/gateway/subnet';
import { formatIpv4 } from '../../../stack/wire/address';
import { describeRun, runScript } from './run-cli';
import { ScriptFolder } from './script-folder';

export interface LinkRun {
  readonly code: number | null;
  readonly stdout: string;
  /** All of it, for a failure's message. */
  readonly description: string;
  /** Command lines of processes that outlived it. */
  readonly leftRunning: readonly string[];
}

export interface FetchLink {
  readonly name: string;
  /** What a script calls the computer that the servers run on. */
  readonly host: string;
  /** An address by which a script reaches that computer. */
  readonly address: string;
  /** The address that the servers listen on. */
  readonly listen: string;
  /** Runs a script to its end. @returns what it printed, with its exit code */
  run(file: string, args: readonly string[]): Promise<LinkRun>;
}

/** The embedded gateway, with the servers on the loopback address. */
export const GATEWAY: FetchLink = {
  name: 'the gateway',
  host: 'localhost',
  // The gateway's own, which stands for this computer.
  address: formatIpv4(chooseSubnet(localNetworks(os.networkInterfaces())).gateway),
  listen: '127.0.0.1',
  async run(file, args) {
    const result = await runScript(file, args, { limitMs: 120_000 });
    return { code: result.code, stdout: result.stdout.toString(), description: describeRun(result), leftRunning: result.leftRunning };
  },
};

export interface FetchOrder {
  readonly url: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Sent as a Buffer. */
  readonly bodyBase64?: string;
  /** Before the request, ms. */
  readonly waitMs?: number;
}

export interface FetchResult {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ok: boolean;
  readonly url: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly timings: Readonly<Record<'dns' | 'connect' | 'tls' | 'firstByte' | 'total', number>>;
  readonly body: Buffer;
}

/** One script makes all of them: the groups at once, what is in a group one after the other. */
export async function fetchGroups<Name extends string>(link: FetchLink, groups: Readonly<Record<Name, readonly FetchOrder[]>>, args: readonly string[] = []): Promise<Record<Name, FetchResult[]>> {
  const folder = new ScriptFolder();
  try {
    const names = Object.keys(groups) as Name[];
    folder.write('requests.json', JSON.stringify(names.map((name) => groups[name])));
    const run = await link.run(folder.copy('test/interop/scripts/fetches.ts'), args);
    if (run.code !== 0) throw new Error(run.description);
    const results: (Omit<FetchResult, 'body'> & { readonly body: string })[][] = JSON.parse(run.stdout);
    return Object.fromEntries(names.map((name, i) => [name, (results[i] ?? []).map((result) => ({ ...result, body: Buffer.from(result.body, 'base64') }))])) as Record<Name, FetchResult[]>;
  } finally {
    folder.remove();
  }
}
