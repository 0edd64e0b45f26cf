/** A frame in a few words, for people who look into why a network does not work. */
import { formatIpv4, type Ipv4Address } from '../wire/address';
import { ARP_REQUEST, parseArp } from '../wire/arp';
import { readU16, readU32 } from '../wire/bytes';
import {
  DHCP_ACK, DHCP_CLIENT_PORT, DHCP_DECLINE, DHCP_DISCOVER, DHCP_INFORM, DHCP_NAK, DHCP_OFFER, DHCP_RELEASE, DHCP_REQUEST, DHCP_SERVER_PORT,
  OPTION_DNS, OPTION_LEASE_TIME, OPTION_MESSAGE, OPTION_REQUESTED_ADDRESS, OPTION_ROUTER, OPTION_SERVER_ID, optionAddress, optionAddresses, optionU32, parseDhcp,
} from '../wire/dhcp';
import { decodeDnsResponse, DNS_HEADER_BYTES, DNS_PORT, rcodeName } from '../wire/dns';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_ARP, ETHERTYPE_IPV4, formatMacAddress, readMac } from '../wire/ethernet';
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE, parseQuoted } from '../wire/icmp';
import { Ipv4Header, parseIpv4 } from '../wire/ipv4';
import { ACK, FIN, RST, SYN } from '../wire/tcp';
import { parseUdp } from '../wire/udp';

const ICMP = 1;
const TCP = 6;
const UDP = 17;

const DHCP_NAMES: Readonly<Record<number, string>> = {
  [DHCP_DISCOVER]: 'DISCOVER', [DHCP_OFFER]: 'OFFER', [DHCP_REQUEST]: 'REQUEST', [DHCP_DECLINE]: 'DECLINE',
  [DHCP_ACK]: 'ACK', [DHCP_NAK]: 'NAK', [DHCP_RELEASE]: 'RELEASE', [DHCP_INFORM]: 'INFORM',
};
/** RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
const UNREACHABLE_NAMES: Readonly<Record<number, string>> = {
  0: 'the network', 1: 'the host', 2: 'the protocol', 3: 'the port', 4: 'at this size', 9: 'the network by a rule', 10: 'the host by a rule', 13: 'by a rule',
};
/** Of a message that a server put into words. */
const MAX_TEXT = 80;

/**
 * @returns one line of printable ASCII, whatever the frame holds, as `ARP: who has 192.0.2.1? tell 192.0.2.7`; null for
 * what is neither ARP nor sound IPv4
 */
export function describeFrame(frame: Uint8Array): string | null {
  if (frame.length < ETHERNET_HEADER_BYTES) return null;
  const type = readU16(frame, 12);
  const words = type === ETHERTYPE_ARP ? describeArp(frame) : type === ETHERTYPE_IPV4 ? describeIpv4(frame) : null;
  return words?.replace(/[^ -~]/g, '?') ?? null;
}

function describeArp(frame: Uint8Array): string | null {
  const packet = parseArp(frame, ETHERNET_HEADER_BYTES);
  if (packet === null) return null;
  const { operation, senderMac, senderAddress, targetAddress } = packet;
  const sender = formatIpv4(senderAddress);
  if (operation !== ARP_REQUEST) return `ARP: ${sender} is at ${formatMacAddress(senderMac)}`;
  // RFC 5227 §1.1: a probe names no sender, an announcement itself as the target.
  if (senderAddress === 0) return `ARP probe: has anybody ${formatIpv4(targetAddress)}?`;
  return senderAddress === targetAddress ? `ARP announcement: ${sender} is at ${formatMacAddress(senderMac)}` : `ARP: who has ${formatIpv4(targetAddress)}? tell ${sender}`;
}

function describeIpv4(frame: Uint8Array): string | null {
  const header = new Ipv4Header();
  if (parseIpv4(frame, ETHERNET_HEADER_BYTES, header) !== null) return null;
  const { protocol, source, destination, headerBytes, totalBytes, fragmentOffset } = header;
  const from = formatIpv4(source);
  const to = formatIpv4(destination);
  const payload = frame.subarray(ETHERNET_HEADER_BYTES + headerBytes, ETHERNET_HEADER_BYTES + totalBytes);
  if (fragmentOffset > 0) return `IPv4 ${from} to ${to}: a fragment of protocol ${protocol}`;
  if (protocol === UDP) return describeUdp(source, destination, payload);
  if (protocol === TCP && payload.length >= 20) return describeTcp(from, to, payload);
  if (protocol === ICMP && payload.length >= 8) return describeIcmp(from, to, payload);
  return `IPv4 ${from} to ${to}: protocol ${protocol}`;
}

function describeUdp(source: Ipv4Address, destination: Ipv4Address, payload: Uint8Array): string {
  const ends = `${formatIpv4(source)} to ${formatIpv4(destination)}`;
  // Whether the checksum fits is for the stack to judge: it may have been left to hardware.
  const datagram = parseUdp(source, destination, payload, true);
  if (typeof datagram === 'string') return `UDP ${ends}: damaged`;
  const { sourcePort, destinationPort, data } = datagram;
  if (sourcePort === DHCP_SERVER_PORT || destinationPort === DHCP_SERVER_PORT || destinationPort === DHCP_CLIENT_PORT) return describeDhcp(ends, data);
  if (sourcePort === DNS_PORT || destinationPort === DNS_PORT) return describeDns(ends, data);
  return `UDP ${ends}, port ${destinationPort}: ${data.length} bytes`;
}

function describeDhcp(ends: string, data: Uint8Array): string {
  const message = parseDhcp(data);
  if (message === null) return `DHCP ${ends}: not understood`;
  const server = optionAddress(message, OPTION_SERVER_ID);
  const lease = optionU32(message, OPTION_LEASE_TIME);
  const requested = optionAddress(message, OPTION_REQUESTED_ADDRESS);
  const routers = optionAddresses(message, OPTION_ROUTER).map(formatIpv4);
  const servers = optionAddresses(message, OPTION_DNS).map(formatIpv4);
  const words = message.options.get(OPTION_MESSAGE);
  const about = [
    message.op === 'request' ? `from ${formatMacAddress(readMac(message.chaddr, 0))}` : `of ${formatIpv4(message.yiaddr)}`,
    ...(requested === null ? [] : [`asking for ${formatIpv4(requested)}`]),
    ...(server === null ? [] : [`server ${formatIpv4(server)}`]),
    ...(routers.length === 0 ? [] : [`router ${routers.join(', ')}`]),
    ...(servers.length === 0 ? [] : [`DNS ${servers.join(', ')}`]),
    ...(lease === null ? [] : [`for ${lease} s`]),
    ...(words ? [JSON.stringify(String.fromCharCode(...words.subarray(0, MAX_TEXT)))] : []),
  ];
  return `DHCP ${DHCP_NAMES[message.type] ?? message.type} ${about.join(', ')}`;
}

function describeDns(ends: string, data: Uint8Array): string {
  if (data.length < DNS_HEADER_BYTES) return `DNS ${ends}: not understood`;
  if ((readU16(data, 2) & 0x8000) === 0) return `DNS query ${ends}: ${questionName(data)}`;
  const answer = decodeDnsResponse(data);
  if (answer === null) return `DNS answer ${ends}: not understood`;
  const found = answer.answers.map((record) => (record.type === 'A' ? formatIpv4(record.address) : record.target));
  const nothing = answer.truncated ? 'cut short' : answer.isReferral ? 'only other servers to ask' : 'no address';
  const what = answer.rcode === 0 ? found.join(', ') || nothing : rcodeName(answer.rcode);
  return `DNS answer ${ends}: ${answer.question?.name ?? '?'} ${what}`;
}

/** The first question's name (RFC 1035 §4.1.2), as far as it is one. */
function questionName(data: Uint8Array): string {
  const labels: string[] = [];
  for (let at = DNS_HEADER_BYTES; at < data.length; ) {
    const length = data[at] ?? 0;
    if (length === 0 || length > 63) break;
    labels.push(String.fromCharCode(...data.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return labels.join('.').toLowerCase();
}

function describeTcp(from: string, to: string, payload: Uint8Array): string {
  const flags = payload[13] ?? 0;
  const names = [flags & SYN ? 'SYN' : '', flags & FIN ? 'FIN' : '', flags & RST ? 'RST' : '', flags & ACK ? 'ACK' : ''].filter(Boolean).join('-');
  const data = Math.max(0, payload.length - ((payload[12] ?? 0) >>> 4) * 4);
  return `TCP ${from}:${readU16(payload, 0)} to ${to}:${readU16(payload, 2)} ${names}${data > 0 ? `, ${data} bytes` : ''}`;
}

function describeIcmp(from: string, to: string, payload: Uint8Array): string {
  const [type = 0, code = 0] = payload;
  if (type === ICMP_ECHO_REQUEST) return `ICMP ${from} to ${to}: echo request`;
  if (type === ICMP_ECHO_REPLY) return `ICMP ${from} to ${to}: echo reply`;
  const quoted = parseQuoted(payload);
  const about = quoted === null ? '' : `, about a packet to ${formatIpv4(quoted.destination)}`;
  if (type === ICMP_UNREACHABLE) return `ICMP from ${from}: cannot reach ${UNREACHABLE_NAMES[code] ?? `(code ${code})`}${about}`;
  if (type === ICMP_TIME_EXCEEDED) return `ICMP from ${from}: too many hops${about}`;
  if (type === ICMP_REDIRECT) return `ICMP from ${from}: redirect to ${formatIpv4(readU32(payload, 4))}${about}`;
  return `ICMP ${from} to ${to}: type ${type}`;
}
