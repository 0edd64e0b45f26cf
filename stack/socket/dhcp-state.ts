/** Where the DHCP client stands. */
import type { Ipv4Address } from '../wire/address';
import type { DhcpLease, DhcpOffer } from './dhcp-lease';

/** RFC 2131 §4.4, figure 5. Each state carries its deadline. */
export type DhcpState =
  | { readonly name: 'stopped' }
  /** Waits before it begins (anew). */
  | { readonly name: 'init'; readonly startAt: number }
  /** RFC 2131's INIT-REBOOT left: the address of the last run is asked for. */
  | {
      readonly name: 'rebooting';
      readonly xid: number;
      readonly startedAt: number;
      readonly address: Ipv4Address;
      readonly tries: number;
      readonly sentAt: number;
      readonly retryAt: number;
    }
  | {
      readonly name: 'selecting';
      readonly xid: number;
      readonly startedAt: number;
      /** Of the DISCOVER. */
      readonly secs: number;
      readonly tries: number;
      readonly retryAt: number;
    }
  | {
      readonly name: 'requesting';
      readonly xid: number;
      /** Of the DISCOVER. */
      readonly secs: number;
      readonly offer: DhcpOffer;
      readonly tries: number;
      readonly sentAt: number;
      readonly retryAt: number;
    }
  | { readonly name: 'bound'; readonly lease: DhcpLease }
  | {
      readonly name: 'renewing' | 'rebinding';
      readonly lease: DhcpLease;
      readonly xid: number;
      readonly startedAt: number;
      readonly sentAt: number;
      readonly retryAt: number;
    };
