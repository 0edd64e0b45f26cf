/** The stack's only public entry: nothing outside `stack/` imports from below it. */
export { SystemClock, VirtualClock, type Clock, type Timer } from './clock';
export { DEFAULT_CONFIG, resolveConfig, type PartialStackConfig, type PortRange, type StackConfig } from './config';
export type { Ecn, Ipv4Egress, SendResult, TransportError, UnreachableCode } from './egress';
export { StackError, type StackErrorCode } from './errors';
export { Gateway, type GatewayOptions, type GatewaySystem } from './gateway/gateway';
export { DEFAULT_GATEWAY_CONFIG, type GatewayConfig } from './gateway/gateway-config';
export { systemNameServers } from './gateway/upstream/upstreams';
export type { AddressInfo, AddressOptions, GivenAddress } from './iface/addressing';
export { createCable, type CableOptions } from './link/cable';
export { captureDevice, type CaptureOptions } from './link/capture';
export { Direction, enhancedPacket, interfaceDescription, sectionHeader } from './link/pcapng';
export { readFlow, type Flow } from './link/flow';
export { describeFrame } from './link/describe';
export { tapDevice } from './link/tap';
export type { Claim, Device, LinkChange, LinkCounters } from './link/device';
export { addFaults, type FaultCounters, type FaultOptions, type FaultyDevice } from './link/fault';
export { listInterfaces, readMac, systemInterfaces, type NetworkInterface } from './link/interfaces';
export { loadBindings, openPcap, type BindingReport, type PcapBinding, type PcapDevice, type PcapFailure, type PcapOptions, type PcapResult } from './link/pcap';
export { PORT_SLICES, portSlice, sharedPorts } from './link/shared-ports';
export type { DefaultRoute } from './link/routing-table';
export { readSystemAddress, type SystemAddress } from './link/system-address';
export type { Counters, Observer, StackEvent } from './observer';
export { CryptoRandom, SeededRandom, type Random } from './random';
export { runStack } from './run-stack';
export type { DhcpFault, DhcpFaultKind } from './socket/dhcp-faults';
export type { DhcpLeaseStore, RememberedLease } from './socket/dhcp-lease';
export type { DnsResult } from './socket/dns-cache';
export type { DnsServer } from './socket/dns-servers';
export type { UdpBindOptions, UdpDatagram, UdpError, UdpSendOptions, UdpSocket } from './socket/udp';
export { Stack, type StackOptions } from './stack';
export type {
  ConnectionRequest, TcpConnectOptions, TcpListener, TcpListenOptions, TcpSnapshot, TcpSocket, TcpState,
} from './tcp/types';
export { formatIpv4, formatMac, parseIpv4, type Ipv4Address } from './wire/address';
