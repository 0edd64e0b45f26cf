/** Real DHCP servers in a test's namespace: BusyBox's udhcpd, and dnsmasq, which serves names too. */
import fs from 'node:fs';
import path from 'node:path';
import type { Host } from './namespaces';
import type { Program } from './program';
import type { Programs } from './programs';

export interface DhcpPool {
  readonly interface: string;
  readonly first: string;
  readonly last: string;
  readonly router: string;
  readonly dns?: string;
  readonly leaseSeconds?: number;
}

/**
 * udhcpd: it ignores client identifiers, and its leases may last seconds.
 * @param folder for its configuration and its leases
 */
export async function startUdhcpd(programs: Programs, host: Host, folder: string, pool: DhcpPool): Promise<Program> {
  const config = path.join(folder, 'udhcpd.conf');
  const leases = path.join(folder, 'udhcpd.leases');
  const { first, last, router, dns = router, leaseSeconds = 120 } = pool;
  fs.writeFileSync(config, [
    `start ${first}`, `end ${last}`, `interface ${pool.interface}`, `lease_file ${leases}`, `pidfile ${folder}/udhcpd.pid`,
    'offer_time 5', 'min_lease 1', 'opt subnet 255.255.255.0', `opt router ${router}`, `opt dns ${dns}`, `opt lease ${leaseSeconds}`, '',
  ].join('\n'));
  if (!fs.existsSync(leases)) fs.writeFileSync(leases, '');
  // It asks by ARP whether an address is free, for so many ms; 0: not at all.
  const server = programs.start(host, ['udhcpd', '-f', '-a', '0', config]);
  await server.until(/udhcpd: started/);
  return server;
}

export interface DnsmasqOptions {
  readonly interface: string;
  /** Absent: no DHCP. */
  readonly dhcp?: DhcpPool;
  /** Further options, without the dashes: `address=/web.test/10.78.0.2`. */
  readonly options?: readonly string[];
}

/** dnsmasq, as in many routers: DHCP by client identifier, and DNS. Leases of DHCP last two minutes at least. */
export async function startDnsmasq(programs: Programs, host: Host, folder: string, { interface: name, dhcp, options = [] }: DnsmasqOptions): Promise<Program> {
  const config = path.join(folder, `dnsmasq-${name}.conf`);
  const pool = dhcp && [
    `dhcp-range=${dhcp.first},${dhcp.last},255.255.255.0,${dhcp.leaseSeconds ?? 120}s`,
    `dhcp-option=option:router,${dhcp.router}`,
    `dhcp-leasefile=${folder}/dnsmasq.leases`,
    // Else it asks for seconds by ICMP whether an address is free; conflicts are the client's to find.
    'no-ping', 'dhcp-authoritative', 'log-dhcp',
  ];
  fs.writeFileSync(config, [
    `interface=${name}`, 'bind-interfaces', 'except-interface=lo', 'no-hosts', 'no-resolv', 'user=root', 'log-facility=-', 'log-queries',
    `pid-file=${folder}/dnsmasq-${name}.pid`, ...(pool ?? []), ...options, '',
  ].join('\n'));
  const server = programs.start(host, ['dnsmasq', '--keep-in-foreground', `--conf-file=${config}`]);
  await server.until(pool ? /DHCP, sockets bound exclusively|DHCP, IP range/ : /started, version/);
  return server;
}
