/** A DHCP client, and its server played by the test. */
import assert from 'node:assert/strict';
import { DEFAULT_CONFIG, type DhcpConfig } from '../../../stack/config';
import { DhcpClient, type DhcpClientOptions } from '../../../stack/socket/dhcp-client';
import type { DhcpLease } from '../../../stack/socket/dhcp-lease';
import { BROADCAST_ADDRESS } from '../../../stack/wire/address';
import {
  DHCP_ACK, DHCP_OFFER, encodeDhcp, OPTION_DNS, OPTION_LEASE_TIME, OPTION_ROUTER, OPTION_SERVER_ID, OPTION_SUBNET_MASK, parseDhcp, words,
  type DhcpMessage,
} from '../../../stack/wire/dhcp';
import { UdpHarness, type Sent } from './udp-harness';

export const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);
export const SERVER = 0x0a00_0201;
export const OTHER_SERVER = 0x0a00_0203;
export const ADDRESS = 0x0a00_0264;
export const DAY_S = 86_400;

export class Exchange {
  readonly host: UdpHarness;
  readonly client: DhcpClient;
  readonly leases: DhcpLease[] = [];
  readonly lost: string[] = [];
  now = 0;

  constructor(options: Partial<DhcpClientOptions> = {}, seed = 1, config: Partial<DhcpConfig> = {}) {
    this.host = new UdpHarness({}, seed);
    this.host.address = null;
    this.client = new DhcpClient({
      config: { ...DEFAULT_CONFIG.dhcp, ...config }, counters: this.host.counters.dhcp, random: this.host.random, udp: this.host.udp, mac: MAC,
      onLease: (lease) => this.leases.push(lease), onLost: (reason) => this.lost.push(reason), ...options,
    });
  }

  get counters() {
    return this.host.counters.dhcp;
  }

  /** Lets time pass, polling when the client asks for it. */
  until(at: number): void {
    while (this.client.pollAt() <= at) {
      this.now = Math.max(this.now, this.client.pollAt());
      this.client.poll(this.now);
    }
    this.now = at;
  }

  /** The oldest message the client sent and the test has not seen. */
  take(): DhcpMessage & { readonly sent: Sent } {
    const sent = this.host.take();
    assert.deepEqual([sent.sourcePort, sent.destinationPort], [68, 67]);
    const message = parseDhcp(sent.data);
    assert.ok(message, 'the client sent what is no DHCP message');
    return { ...message, sent };
  }

  reply(to: DhcpMessage, type: number, changes: Partial<DhcpMessage> = {}, options: [number, Uint8Array | null][] = []): void {
    const all = new Map<number, Uint8Array>([
      [OPTION_SERVER_ID, words(SERVER)],
      [OPTION_SUBNET_MASK, words(0xffff_ff00)],
      [OPTION_ROUTER, words(SERVER)],
      [OPTION_DNS, words(SERVER, 0x0808_0808)],
      [OPTION_LEASE_TIME, words(DAY_S)],
    ]);
    for (const [code, value] of options) {
      if (value) all.set(code, value);
      else all.delete(code);
    }
    const bytes = encodeDhcp({
      op: 'reply', type, xid: to.xid, secs: 0, broadcast: true, ciaddr: 0, yiaddr: ADDRESS, siaddr: 0, giaddr: 0, chaddr: MAC, options: all, ...changes,
    });
    this.raw(bytes);
  }

  raw(bytes: Uint8Array, port = 67): void {
    this.host.arrive({ address: SERVER, port }, { address: BROADCAST_ADDRESS, port: 68 }, bytes, this.now);
  }

  /** Up to BOUND, with nothing left to take. */
  bind(options: [number, Uint8Array | null][] = []): DhcpLease {
    this.client.start(this.now);
    this.reply(this.take(), DHCP_OFFER, {}, options);
    this.reply(this.take(), DHCP_ACK, {}, options);
    const lease = this.leases.at(-1);
    assert.ok(lease, 'no lease');
    return lease;
  }
}
