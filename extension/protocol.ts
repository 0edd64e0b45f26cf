/**
 * The messages between the extension host (or the terminal) and the worker. Versioned; imports nothing.
 * They travel as JSON over Node's IPC channel. The binary protocol between worker and script processes
 * has its own file, `worker/script/wire.ts`.
 */
export const PROTOCOL_VERSION = 2;

export type LinkMode = 'auto' | 'gateway' | 'pcap';

export interface WorkerSettings {
  readonly link: LinkMode;
  /** Dotted IPv4 address that `localhost` stands for; null: this computer's primary address. */
  readonly hostAddress: string | null;
  /** Name servers that replace the network's own, dotted IPv4 with an optional `:port`; empty: the network's. */
  readonly dns: readonly string[];
  /** A pcapng file that every frame is written to; null: none. */
  readonly captureFile: string | null;
  /** Bytes of the latest frames that are kept in memory, to be saved later; 0: none. */
  readonly recentFrameBytes: number;
  /** Absolute paths of PEM files with authorities that fetch trusts beside Node's own; absent: none. */
  readonly extraCaCertificates?: readonly string[];
  /** For the link `pcap`; the others make nothing of it. */
  readonly pcap: PcapSettings;
}

/** How the stack becomes a host of its own on the network. */
export interface PcapSettings {
  /** The interface's name; null: the one that fits best. */
  readonly interface: string | null;
  readonly binding: 'auto' | 'cap' | 'libpcap';
  readonly address: AddressSetting;
  /** How `localhost` is reached: by the embedded gateway beside the link, or out to the router and back. */
  readonly localhost: 'relay' | 'router';
}

export type AddressSetting =
  | { readonly mode: 'dhcp' }
  | {
      /** The computer's own, with ports of the stack's. */
      readonly mode: 'shared';
      /** Dotted IPv4; null: the system's. */
      readonly gateway: string | null;
    }
  | {
      readonly mode: 'static';
      /** Dotted IPv4. */
      readonly address: string;
      /** 0 … 32 */
      readonly prefixLength: number;
      /** Dotted IPv4; null: only the own network is reached. */
      readonly gateway: string | null;
    };

/** What a worker does without a setting. */
export const DEFAULT_WORKER_SETTINGS: WorkerSettings = {
  link: 'auto', hostAddress: null, dns: [], captureFile: null,
  recentFrameBytes: 0, extraCaCertificates: [], pcap: { interface: null, binding: 'auto', address: { mode: 'dhcp' }, localhost: 'relay' },
};

export interface RunLimits {
  /** RSS of the script's process in MiB, 64 … 65536. */
  readonly memoryMb: number;
  /** Output in bytes per second that is passed on; the rest is dropped and the count is told. */
  readonly outputBytesPerSecond: number;
}

/** A socket whose frames are wanted, and when it was open (ms since 1970; null: it still is). */
export interface CapturedSocket {
  readonly remoteAddress: string | null;
  readonly remotePort: number;
  readonly localPort: number | null;
  readonly from: number;
  readonly to: number | null;
  /** Its address was asked for by DNS: those frames belong to it. */
  readonly byName: boolean;
}

/** Which frames a capture is to hold. */
export type CaptureSelection = 'all' | readonly CapturedSocket[];

export interface CaptureSummary {
  readonly frames: number;
  /** Frames before this had left the memory (ms since 1970); null: none had. */
  readonly since: number | null;
}

/** Host -> worker. The first message is `configure`. */
export type HostMessage =
  | { readonly type: 'configure'; readonly version: number; readonly settings: WorkerSettings }
  | {
      readonly type: 'run';
      /** Chosen by the host, unique while the host lives. */
      readonly runId: string;
      /** Absolute path of the script. */
      readonly file: string;
      /** The text to run instead of the file's: an unsaved buffer. */
      readonly source: string | null;
      /** Hz, 1 … 1000. */
      readonly tickRate: number;
      readonly limits: RunLimits;
      /** Seconds until the run is ended with outcome `timeout`; null: none. */
      readonly timeoutSeconds: number | null;
      /**
       * The process waits for a debugger before its first line: `debuggable` says where. It has no time limit then,
       * and where Node's permission model rules debuggers out, it runs without that model. Absent: false.
       */
      readonly debug?: boolean;
    }
  | { readonly type: 'stop'; readonly runId: string }
  | { readonly type: 'close-socket'; readonly runId: string; readonly socketId: number }
  /** Answered by `capture-saved`. `file` is absolute; one that is there is replaced. */
  | { readonly type: 'save-capture'; readonly requestId: number; readonly file: string; readonly selection: CaptureSelection }
  | { readonly type: 'shutdown' };

export interface LinkReport {
  readonly kind: 'gateway' | 'pcap';
  /** One sentence for people: which link, and why. */
  readonly reason: string;
  /** The stack's own address once it has one. */
  readonly address: string | null;
  readonly gateway: string | null;
  readonly dns: readonly string[];
}

export type SocketStatus = 'connecting' | 'connected' | 'error' | 'fin';

export interface SocketReport {
  readonly runId: string;
  /** Unique within the run, never used again. */
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly status: SocketStatus;
  /** RFC 9293's state; null before the name is resolved and after the end. */
  readonly tcpState: string | null;
  readonly remoteAddress: string | null;
  readonly localPort: number | null;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bufferedAmount: number;
  readonly srttMs: number | null;
  readonly retransmissions: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Wall clock, ms since 1970. */
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** The fetch this socket serves, if any. */
  readonly fetchId: number | null;
}

export interface FetchReport {
  readonly runId: string;
  readonly id: number;
  readonly method: string;
  readonly url: string;
  /** null while under way, -1 if it failed. */
  readonly status: number | null;
  readonly statusMessage: string | null;
  /** Of the request's body, what the peer has acknowledged; and all of it, null if it has none. */
  readonly sentBytes: number;
  readonly requestBytes: number | null;
  readonly bodyBytes: number;
  /** Content-Length if the server gave one. */
  readonly expectedBytes: number | null;
  readonly startedAt: number;
  readonly durationMs: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface SourceLocation {
  /** Absolute path. */
  readonly file: string;
  /** 1-based, as editors show them. */
  readonly line: number;
  readonly column: number;
}

export interface ScriptError {
  /** What kind of failure: `syntax` (with the bundler's words), `throw`, `rejection`, `handler`, `stuck` (an await nothing can settle). */
  readonly kind: 'syntax' | 'throw' | 'rejection' | 'handler' | 'stuck';
  /** First line, as `TypeError: x is not a function`. */
  readonly message: string;
  /** The whole text with mapped frames, `at fn (/abs/file.ts:9:9)`, as shown to people. */
  readonly stack: string;
  readonly location: SourceLocation | null;
}

export type RunOutcome =
  | { readonly kind: 'finished' }
  | { readonly kind: 'error'; readonly error: ScriptError }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'timeout'; readonly seconds: number }
  /** A limit or a crash ended it: `message` names the limit, the value and the next step. */
  | { readonly kind: 'limit'; readonly message: string }
  | { readonly kind: 'crashed'; readonly message: string };

export type OutputLevel = 'print' | 'log' | 'info' | 'warn' | 'error' | 'debug';

/** Worker -> host. */
export type WorkerMessage =
  | { readonly type: 'ready'; readonly version: number; readonly pid: number; readonly link: LinkReport }
  /** Also before `ready`, while the link is open and has no address yet. */
  | { readonly type: 'link'; readonly link: LinkReport }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error' | 'debug'; readonly message: string }
  /** The script's process is there; its program is still being put together. */
  | { readonly type: 'started'; readonly runId: string; readonly pid: number }
  /** A run with `debug` waits for a debugger at this address, `ws://127.0.0.1:PORT/ID`. */
  | { readonly type: 'debuggable'; readonly runId: string; readonly url: string }
  /** The script's first line is about to run. */
  | { readonly type: 'running'; readonly runId: string }
  /** Whole lines, without the last newline. */
  | { readonly type: 'output'; readonly runId: string; readonly level: OutputLevel; readonly text: string }
  /** An error that did not end the script: a handler that threw. */
  | { readonly type: 'script-error'; readonly runId: string; readonly error: ScriptError }
  /** At most ten times a second; only what changed. */
  | { readonly type: 'activity'; readonly sockets: readonly SocketReport[]; readonly fetches: readonly FetchReport[] }
  | { readonly type: 'ended'; readonly runId: string; readonly outcome: RunOutcome }
  | { readonly type: 'capture-saved'; readonly requestId: number; readonly result: CaptureSummary | { readonly error: string } }
  /** The worker could not start; it exits after this. */
  | { readonly type: 'failed'; readonly message: string };
