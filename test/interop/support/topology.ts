/**
 * A small network of computers, each a namespace that the test makes and removes:
 *
 *     host ── (switch) router ── server          10.77.0.0/24 | 10.78.0.0/24
 *     more stations ──┘
 *
 * The host is the computer beside whose kernel the stack captures. The router's switch is a bridge of its own, as
 * in a router at home; further stations can be plugged in.
 */
import { type Host, makeNamespace, removeNamespace, runInBatch } from './namespaces';

export const LAN = { router: '10.77.0.1', host: '10.77.0.10', prefixLength: 24, broadcast: '10.77.0.255' } as const;
export const WAN = { router: '10.78.0.1', server: '10.78.0.2', prefixLength: 24 } as const;

export interface LanOptions {
  /** The kernel's address of the host; null: it has none. Default {@link LAN.host}. */
  readonly hostAddress?: string | null;
  /** Puts a namespace with the interfaces `left` and `right` between host and switch: nothing passes until a program there joins them. Default false. */
  readonly wire?: boolean;
  /** Whether the host forwards packets (`ip_forward`), as every computer with containers does. Default false. */
  readonly hostForwards?: boolean;
  /** Whether senders leave checksums and segmentation to hardware that is not there. Default true, as between real namespaces. */
  readonly offloads?: boolean;
}

export class Lan {
  readonly host: Host;
  readonly router: Host;
  readonly server: Host;
  /** See {@link LanOptions.wire}. */
  readonly wire: Host | null;
  private readonly stations: Host[] = [];
  private readonly offloads: boolean;
  private ports = 0;

  constructor({ hostAddress = LAN.host, hostForwards = false, offloads = true, wire = false }: LanOptions = {}) {
    this.offloads = offloads;
    const make = (role: string): Host => {
      const host = makeNamespace(role);
      this.stations.push(host);
      return host;
    };
    try {
      this.router = make('router');
      this.router.run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
      // Without a delay a port forwards at once; no spanning tree on a network of one switch.
      runInBatch(this.router, [
        'link add lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
        `address add ${LAN.router}/${LAN.prefixLength} dev lan`,
        'link set lan up',
      ]);

      this.wire = wire ? make('wire') : null;
      this.host = make('host');
      this.plug(this.host, hostAddress);
      this.host.run('sysctl', '-qw', `net.ipv4.ip_forward=${hostForwards ? 1 : 0}`);

      this.server = make('server');
      this.disableIpv6(this.server);
      runInBatch(this.router, [
        `link add wan type veth peer name eth0 netns ${this.server.name}`,
        `address add ${WAN.router}/${WAN.prefixLength} dev wan`,
        'link set wan up',
      ]);
      runInBatch(this.server, [
        `address add ${WAN.server}/${WAN.prefixLength} dev eth0`,
        'link set eth0 up',
        `route add default via ${WAN.router}`,
      ]);
      this.router.awaitUp('wan');
      this.server.awaitUp();
      if (!offloads) {
        this.router.setOffloads(false, 'wan');
        this.router.setOffloads(false, 'lan');
        this.server.setOffloads(false);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Another computer on the LAN. */
  station(role: string, address: string | null): Host {
    const host = makeNamespace(role);
    this.stations.push(host);
    this.plug(host, address);
    return host;
  }

  /** The router's links carry whole frames still, but it forwards no packet longer than this: it says so by ICMP. */
  narrow(mtuBytes: number): void {
    runInBatch(this.router, [
      `route replace 10.77.0.0/24 dev lan proto kernel scope link src ${LAN.router} mtu ${mtuBytes}`,
      `route replace 10.78.0.0/24 dev wan proto kernel scope link src ${WAN.router} mtu ${mtuBytes}`,
    ]);
  }

  /** Joins `eth0` of a host with the router's switch; also anew, once it was deleted. @returns the port's name on the router */
  plug(host: Host, address: string | null): string {
    const port = `port${this.ports++}`;
    this.disableIpv6(host);
    const wire = host === this.host ? this.wire : null;
    if (wire !== null) {
      this.disableIpv6(wire);
      runInBatch(wire, [`link add left type veth peer name eth0 netns ${host.name}`, 'link set left arp off up']);
    }
    runInBatch(this.router, [
      `link add ${port} type veth peer name ${wire ? 'right' : 'eth0'} netns ${(wire ?? host).name}`,
      `link set ${port} master lan`,
      `link set ${port} up`,
    ]);
    runInBatch(host, [
      ...(address === null ? [] : [`address add ${address}/${LAN.prefixLength} dev eth0`]),
      'link set eth0 up',
      ...(address === null ? [] : [`route add default via ${LAN.router}`]),
    ]);
    if (wire !== null) runInBatch(wire, ['link set right arp off up']);
    const ends = [[this.router, port], [host, 'eth0'], ...(wire ? [[wire, 'left'], [wire, 'right']] as const : [])] as const;
    for (const [end, name] of ends) {
      end.awaitUp(name);
      if (!this.offloads) end.setOffloads(false, name);
    }
    return port;
  }

  /** Also after a failure half-way. */
  remove(): void {
    for (const host of this.stations.splice(0)) removeNamespace(host);
  }

  /** Neighbour and router discovery would only be noise in what is captured. */
  private disableIpv6(host: Host): void {
    host.run('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
  }
}
