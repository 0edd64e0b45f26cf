/**
 * libpcap called directly through `koffi`, for where no build of `cap` loads: another Node, Electron, no compiler.
 * Frames are taken from the kernel's ring in the batches that the stack asks for, so that the ring is the one queue.
 * While none wait, poll(2) waits on a thread of libuv's pool.
 */
import { CaptureFailure, explain, type CaptureBinding, type CaptureHandle, type CaptureRequest } from './capture-handle';
import { loadDescriptorGuard, loadKoffi, type Native, type NativeLibrary } from './native';

/** A pointer, as koffi gives it; 0 or null is none. */
type Pointer = bigint | null;

/** The functions of libpcap and the C library that are used. */
interface Functions {
  readonly create: (name: string, error: Uint8Array) => Pointer;
  readonly setSnaplen: (handle: Pointer, bytes: number) => number;
  readonly setPromisc: (handle: Pointer, on: number) => number;
  readonly setImmediateMode: (handle: Pointer, on: number) => number;
  readonly setBufferSize: (handle: Pointer, bytes: number) => number;
  readonly setTimeout: (handle: Pointer, ms: number) => number;
  readonly activate: (handle: Pointer) => number;
  readonly setNonblock: (handle: Pointer, on: number, error: Uint8Array) => number;
  readonly datalink: (handle: Pointer) => number;
  readonly geterr: (handle: Pointer) => string;
  readonly statustostr: (status: number) => string;
  readonly libVersion: () => string;
  readonly compile: (handle: Pointer, program: Uint8Array, text: string, optimize: number, netmask: number) => number;
  readonly setFilter: (handle: Pointer, program: Uint8Array) => number;
  readonly freeCode: (program: Uint8Array) => void;
  readonly selectableFd: (handle: Pointer) => number;
  readonly nextEx: (handle: Pointer, header: BigUint64Array, data: BigUint64Array) => number;
  readonly inject: (handle: Pointer, frame: Uint8Array, bytes: number) => number;
  readonly stats: (handle: Pointer, stats: Uint8Array) => number;
  readonly close: (handle: Pointer) => void;
  readonly memcpy: (to: Uint8Array, from: bigint, bytes: number) => unknown;
  readonly poll: (fds: Uint8Array, timeoutMs: number, done: (error: unknown, ready: number) => void) => void;
  readonly guardDescriptors: () => void;
}

/** An Ethernet frame around the largest IPv4 packet, with a VLAN tag. */
const SNAPLEN = 65_535 + 14 + 4;
const ERROR_BYTES = 256;
const DATALINK_ETHERNET = 1;
const ERROR_BREAK = -2;
/** `struct pcap_pkthdr` on 64-bit Unix: a timeval of 16 bytes, then the bytes captured and the frame's length. */
const CAPLEN_AT = 16;
const HEADER_BYTES = 24;
/** `struct bpf_program`: a count and a pointer. `struct pcap_stat`: received, dropped, dropped by the interface. */
const PROGRAM_BYTES = 16;
const STATS_BYTES = 12;
const POLLIN = 0x001;
/** poll(2) sets these by itself: error, hung up, not open. */
const POLL_FAILED = 0x008 | 0x010 | 0x020;
/** How long one poll(2) waits: a closed capture holds its thread no longer. */
const POLL_MS = 250;
/** The frame begins two bytes into its memory, so that the IPv4 header lies on a multiple of four. */
const FRAME_AT = 2;

const NAMES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'],
  darwin: ['/usr/lib/libpcap.A.dylib', 'libpcap.dylib'],
};

class LibpcapHandle implements CaptureHandle {
  private pcap: Pointer;
  private readable = false;
  private polling = false;
  private readonly header = new BigUint64Array(1);
  private readonly data = new BigUint64Array(1);
  private readonly headerCopy = new Uint8Array(HEADER_BYTES);
  private readonly memory = new Uint8Array(FRAME_AT + SNAPLEN);
  /** The last frame's view: full segments are of one length. */
  private view = this.memory.subarray(FRAME_AT);
  private readonly fds = new Uint8Array(8);
  private readonly stats = new Uint8Array(STATS_BYTES);

  constructor(
    private readonly lib: Functions,
    private readonly options: CaptureRequest,
  ) {
    const { interfaceName } = options;
    const error = new Uint8Array(ERROR_BYTES);
    const pcap = lib.create(interfaceName, error);
    if (!pcap) throw new CaptureFailure(explain(text(error), interfaceName));
    this.pcap = pcap;
    try {
      this.activate(pcap, error);
    } catch (failure) {
      this.close();
      throw failure;
    }
    this.wait();
  }

  get hasFrames(): boolean {
    return this.readable;
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    const { lib, header, data } = this;
    let frames = 0;
    while (frames < budget && this.pcap !== null) {
      const status = lib.nextEx(this.pcap, header, data);
      if (status !== 1) {
        this.readable = false;
        if (status === 0 || status === ERROR_BREAK) this.wait();
        else this.options.onFailure(lib.geterr(this.pcap));
        break;
      }
      frames++;
      lib.memcpy(this.headerCopy, header[0] ?? 0n, HEADER_BYTES);
      const bytes = word(this.headerCopy, CAPLEN_AT);
      if (bytes < word(this.headerCopy, CAPLEN_AT + 4) || bytes > SNAPLEN) {
        this.options.counters.rxTruncated++;
        continue;
      }
      if (this.view.length !== bytes) this.view = this.memory.subarray(FRAME_AT, FRAME_AT + bytes);
      if (bytes > 0) lib.memcpy(this.view, data[0] ?? 0n, bytes);
      handler(this.view);
    }
    return frames;
  }

  send(buffer: Uint8Array, length: number): boolean {
    return this.pcap !== null && this.lib.inject(this.pcap, buffer, length) === length;
  }

  setFilter(filter: string): boolean {
    const { lib, pcap } = this;
    if (pcap === null) return true;
    const program = new Uint8Array(PROGRAM_BYTES);
    if (lib.compile(pcap, program, filter, 1, 0xffff_ffff) !== 0) throw new CaptureFailure(`the filter "${filter}" cannot be compiled: ${lib.geterr(pcap)}`);
    const status = lib.setFilter(pcap, program);
    lib.freeCode(program);
    if (status !== 0) throw new CaptureFailure(`the filter "${filter}" cannot be set: ${lib.geterr(pcap)}`);
    return true;
  }

  kernelDropped(): number | null {
    if (this.pcap === null || this.lib.stats(this.pcap, this.stats) !== 0) return null;
    return word(this.stats, 4) + word(this.stats, 8);
  }

  close(): void {
    const { pcap } = this;
    if (pcap === null) return;
    // A poll(2) under way on the descriptor touches none of libpcap's memory, and ends by itself.
    this.pcap = null;
    this.readable = false;
    this.lib.close(pcap);
  }

  private activate(pcap: bigint, error: Uint8Array): void {
    const { lib, options } = this;
    const { interfaceName } = options;
    lib.setSnaplen(pcap, SNAPLEN);
    // Frames to a MAC address of our own are seen only so.
    lib.setPromisc(pcap, 1);
    // Without it the kernel collects frames into blocks, and gives them up to a second late.
    lib.setImmediateMode(pcap, 1);
    lib.setBufferSize(pcap, options.kernelBufferBytes);
    lib.setTimeout(pcap, 1);
    const status = lib.activate(pcap);
    // Above 0: it works, with a warning.
    if (status < 0) throw new CaptureFailure(explain(lib.geterr(pcap) || lib.statustostr(status), interfaceName));
    lib.guardDescriptors();
    if (lib.datalink(pcap) !== DATALINK_ETHERNET) {
      throw new CaptureFailure(`${interfaceName} carries no Ethernet frames: take an Ethernet or Wi-Fi interface`);
    }
    if (lib.setNonblock(pcap, 1, error) !== 0) throw new CaptureFailure(explain(text(error), interfaceName));
    this.setFilter(options.filter);
    const view = new DataView(this.fds.buffer);
    // `struct pollfd`: the descriptor, the events asked for, those found.
    view.setInt32(0, lib.selectableFd(pcap), true);
    view.setInt16(4, POLLIN, true);
  }

  /** Waits for frames, on another thread; at most one such wait at a time. */
  private wait(): void {
    if (this.polling || this.pcap === null) return;
    this.polling = true;
    this.fds[6] = 0;
    this.fds[7] = 0;
    this.lib.poll(this.fds, POLL_MS, (error, ready) => {
      this.polling = false;
      if (this.pcap === null) return;
      const found = this.fds[6] ?? 0;
      if (error !== null || ready < 0) this.options.onFailure('poll failed');
      else if (found & POLLIN || found & POLL_FAILED) {
        // What failed is told by the next read.
        this.readable = true;
        this.options.onReadable();
      } else this.wait();
    });
  }
}

/** A 32-bit word in the machine's order; all machines that are supported have the lowest byte first. */
function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

/** @returns the C string in a buffer */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

function openLibrary(koffi: Native, names: readonly string[]): NativeLibrary {
  const failures: string[] = [];
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new CaptureFailure(`libpcap cannot be loaded (${failures[0] ?? 'no name'}): install it, on Debian the package libpcap0.8`);
}

function bind(koffi: Native, pcap: NativeLibrary): Functions {
  const system = koffi.load(null);
  const poll = system.func('int poll(void *fds, unsigned long count, int timeout)');
  return {
    create: pcap.func('void *pcap_create(const char *source, void *errbuf)'),
    setSnaplen: pcap.func('int pcap_set_snaplen(void *p, int snaplen)'),
    setPromisc: pcap.func('int pcap_set_promisc(void *p, int promisc)'),
    setImmediateMode: pcap.func('int pcap_set_immediate_mode(void *p, int immediate)'),
    setBufferSize: pcap.func('int pcap_set_buffer_size(void *p, int bytes)'),
    setTimeout: pcap.func('int pcap_set_timeout(void *p, int ms)'),
    activate: pcap.func('int pcap_activate(void *p)'),
    setNonblock: pcap.func('int pcap_setnonblock(void *p, int on, void *errbuf)'),
    datalink: pcap.func('int pcap_datalink(void *p)'),
    geterr: pcap.func('const char *pcap_geterr(void *p)'),
    statustostr: pcap.func('const char *pcap_statustostr(int status)'),
    libVersion: pcap.func('const char *pcap_lib_version(void)'),
    compile: pcap.func('int pcap_compile(void *p, void *program, const char *text, int optimize, uint32_t netmask)'),
    setFilter: pcap.func('int pcap_setfilter(void *p, void *program)'),
    freeCode: pcap.func('void pcap_freecode(void *program)'),
    selectableFd: pcap.func('int pcap_get_selectable_fd(void *p)'),
    nextEx: pcap.func('int pcap_next_ex(void *p, void *header, void *data)'),
    inject: pcap.func('int pcap_inject(void *p, const void *frame, size_t bytes)'),
    stats: pcap.func('int pcap_stats(void *p, void *stats)'),
    close: pcap.func('void pcap_close(void *p)'),
    memcpy: system.func('void *memcpy(void *to, const void *from, size_t bytes)'),
    poll: (fds, timeoutMs, done) => poll.async(fds, 1, timeoutMs, done),
    guardDescriptors: loadDescriptorGuard(),
  };
}

/** @throws CaptureFailure */
export function loadLibpcap(): CaptureBinding {
  const names = NAMES[process.platform];
  if (!names || !['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch)) {
    throw new CaptureFailure(`libpcap is not called directly on ${process.platform} ${process.arch}: only on 64-bit Linux and macOS`);
  }
  const koffi = loadKoffi();
  const library = openLibrary(koffi, names);
  let functions: Functions;
  try {
    functions = bind(koffi, library);
  } catch (error) {
    throw new CaptureFailure(`libpcap is too old (${error instanceof Error ? error.message : String(error)}): version 1.5 or newer is needed`);
  }
  return { name: 'libpcap', warning: null, libraryVersion: functions.libVersion(), open: (options) => new LibpcapHandle(functions, options) };
}
