/** Runs in a namespace: one Stack on a captured interface, that does what its parent's messages say. */
import fs from 'node:fs';
import {
  CryptoRandom, formatIpv4, openPcap, runStack, Stack, type AddressOptions, type DhcpLeaseStore, type PartialStackConfig, type PcapBinding, type PortRange,
} from '../../../stack';
import { attempt, clock, ipv4, type GuestTask } from './guest-tasks';

export interface GuestOptions {
  readonly binding: PcapBinding | 'auto';
  readonly interface: string;
  /** Twelve hexadecimal digits. `interface`: the interface's own, as on Wi-Fi. Absent: one of our own. */
  readonly mac?: string;
  /** Absent: by DHCP. */
  readonly address?: string;
  /** Default 24. */
  readonly prefixLength?: number;
  readonly gateway?: string;
  /** The address is the computer's, and these are the stack's ports there. */
  readonly sharedPorts?: PortRange;
  /** Addresses of the own network that are reached by the router. */
  readonly viaGateway?: readonly string[];
  readonly dns?: readonly string[];
  /** Checks the address as on a link with other stations (RFC 5227). */
  readonly conflictDetection?: boolean;
  /** Of DHCP: hexadecimal. */
  readonly clientId?: string;
  /** Addresses not to be taken from DHCP. */
  readonly refuse?: readonly string[];
  /** A file for the last lease. */
  readonly leaseFile?: string;
  readonly config?: PartialStackConfig;
  readonly kernelBufferBytes?: number;
  readonly queueBytes?: number;
}

const OWN_MAC = '02524e000007';

const options: GuestOptions = JSON.parse(process.argv[2] ?? '{}');

const tell = (message: object): void => void process.send?.(message);

function fileStore(file: string): DhcpLeaseStore {
  return {
    load: () => (fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as ReturnType<DhcpLeaseStore['load']>) : null),
    save: (lease) => fs.writeFileSync(file, JSON.stringify(lease)),
  };
}

function addressOptions({ address, prefixLength = 24, gateway, sharedPorts, dns, clientId, refuse, leaseFile }: GuestOptions): AddressOptions {
  const servers = dns && { dns: dns.map((text) => ({ address: ipv4(text), port: 53 })) };
  if (address !== undefined) {
    const given = { address: ipv4(address), prefixLength, ...(gateway !== undefined && { gateway: ipv4(gateway) }), ...servers };
    return sharedPorts === undefined ? { mode: 'static', ...given } : { mode: 'shared', ...given, ports: sharedPorts };
  }
  const refused = new Set(refuse);
  return {
    mode: 'dhcp',
    ...servers,
    ...(clientId !== undefined && { clientId: Buffer.from(clientId, 'hex') }),
    ...(leaseFile !== undefined && { leaseStore: fileStore(leaseFile) }),
    refuse: (offered) => (refused.has(formatIpv4(offered)) ? 'the test does not want it' : null),
  };
}

function main(): void {
  const { binding, mac = OWN_MAC, kernelBufferBytes, queueBytes } = options;
  const result = openPcap({
    interface: options.interface, binding, clock,
    ...(mac !== 'interface' && { mac: Buffer.from(mac, 'hex') }),
    ...(kernelBufferBytes !== undefined && { kernelBufferBytes }),
    ...(queueBytes !== undefined && { queueBytes }),
  });
  if (result.device === null) {
    tell({ failures: result.failures });
    process.disconnect();
    return;
  }
  const stack = new Stack({
    device: result.device, random: new CryptoRandom(), address: addressOptions(options),
    ...(options.config && { config: options.config }),
    ...(options.conflictDetection !== undefined && { conflictDetection: options.conflictDetection }),
    observer: (event) => {
      if (event.type !== 'tcp-state') tell({ event });
    },
  });
  stack.viaGateway = (options.viaGateway ?? []).map(ipv4);
  stack.onAddress = () => {
    const info = stack.addressInfo;
    tell({ address: info && formatIpv4(info.address) });
  };
  const running = runStack(stack, clock);
  process.on('message', (message: { id: number; task: GuestTask }) => {
    void Promise.resolve(attempt(stack, message.task)).then((done) => tell({ id: message.id, done }));
  });
  process.once('disconnect', () => {
    stack.close(clock.now());
    running.stop();
  });
  tell({ ready: true, binding: result.device.binding, warnings: result.warnings, failures: result.failures });
}

main();
