import { formatBytes, formatDuration } from './format';
import { t } from './l10n';
import type { FetchReport, SocketReport } from './protocol';

/** Why a socket or a fetch failed, for a person who wants it to work. */
export interface Explanation {
  /** What is wrong, in one line. */
  readonly title: string;
  readonly sent: string;
  readonly received: string;
  readonly meaning: string;
  /** What to try, the likeliest first; at least one. */
  readonly next: readonly string[];
  /** The setting, below `riftnet.`, that mends it, if one does. */
  readonly setting: 'hostAddress' | 'dns' | null;
}

type Failure = NonNullable<SocketReport['error']>;

/** What is known of what failed. */
interface Facts {
  readonly error: Failure;
  /** The name or address as the script gave it. */
  readonly host: string;
  readonly port: number;
  /** `192.0.2.7:80` once the name is resolved, else `host:port`. */
  readonly where: string;
  /** Whether the connection was open before it failed. */
  readonly wasOpen: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly retransmissions: number;
  readonly durationMs: number;
  /** The request, if a fetch made it. */
  readonly request: string | null;
  /** The address that `localhost` is set to stand for; empty: this computer's own. */
  readonly hostAddress: string;
}

type Parts = Omit<Explanation, 'setting'> & Partial<Pick<Explanation, 'setting'>>;

/** @param hostAddress the setting of that name @returns null for a socket that has not failed */
export function explainSocket(socket: SocketReport, hostAddress = ''): Explanation | null {
  if (!socket.error) return null;
  return explain({
    error: socket.error,
    host: socket.host,
    port: socket.port,
    where: `${socket.remoteAddress ?? socket.host}:${socket.port}`,
    wasOpen: socket.srttMs !== null || socket.bytesRead + socket.bytesWritten > 0,
    bytesRead: socket.bytesRead,
    bytesWritten: socket.bytesWritten,
    retransmissions: socket.retransmissions,
    durationMs: (socket.closedAt ?? socket.openedAt) - socket.openedAt,
    request: null,
    hostAddress,
  });
}

/** @param socket the last one that served the fetch, if any is known @returns null for a fetch that has not failed */
export function explainFetch(fetch: FetchReport, socket: SocketReport | null, hostAddress = ''): Explanation | null {
  if (fetch.status !== -1 || !fetch.error) return null;
  const url = URL.canParse(fetch.url) ? new URL(fetch.url) : null;
  const port = url?.port ? Number(url.port) : url?.protocol === 'https:' ? 443 : 80;
  return explain({
    error: fetch.error,
    host: socket?.host ?? url?.hostname ?? fetch.url,
    port: socket?.port ?? port,
    where: socket ? `${socket.remoteAddress ?? socket.host}:${socket.port}` : `${url?.hostname ?? fetch.url}:${port}`,
    wasOpen: fetch.bodyBytes > 0 || (socket !== null && socket.srttMs !== null),
    bytesRead: fetch.bodyBytes,
    bytesWritten: socket?.bytesWritten ?? 0,
    retransmissions: socket?.retransmissions ?? 0,
    durationMs: fetch.durationMs ?? 0,
    request: `${fetch.method} ${fetch.url}`,
    hostAddress,
  });
}

function explain(facts: Facts): Explanation {
  const rule = RULES[facts.error.code] ?? (/^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(facts.error.code) ? certificate : unknown);
  return { setting: null, ...rule(facts) };
}

const isThisComputer = (host: string): boolean => /(^|\.)localhost\.?$/i.test(host);
const isLoopback = (host: string): boolean => /^127\./.test(host);

/** What is said of the request for a connection, as often as it went out. */
function connectionRequest({ where, retransmissions }: Facts): string {
  return retransmissions === 0 ? t('A request to connect (SYN) to {0}.', where) : t('A request to connect (SYN) to {0}, sent {1} times.', where, retransmissions + 1);
}

function traffic({ bytesWritten, request }: Facts): string {
  return request === null ? t('{0} over the open connection.', formatBytes(bytesWritten)) : t('The request {0}.', request);
}

const ownServer = (facts: Facts): string[] =>
  facts.hostAddress === ''
    ? [
        t('Start the server, and let it listen on 0.0.0.0: on 127.0.0.1 alone it hears nobody from outside its own loopback.'),
        t('Or leave the server as it is, and set riftnet.hostAddress to 127.0.0.1: then localhost means that address.'),
      ]
    : [t('Start the server, and let it listen on {0} or 0.0.0.0: riftnet.hostAddress makes localhost mean {0}.', facts.hostAddress)];

const RULES: Readonly<Record<string, (facts: Facts) => Parts>> = {
  ECONNREFUSED: (facts) => {
    const own = isThisComputer(facts.host);
    return {
      title: own ? t('Nothing listens on port {0} of this computer', facts.port) : t('Nothing listens at {0}', facts.where),
      sent: connectionRequest(facts),
      received: t('A refusal (RST), after {0}.', formatDuration(facts.durationMs)),
      meaning: own
        ? t('The computer is reached, and no program accepts connections on that port at the address that localhost stands for.')
        : t('The computer is reached, and no program accepts connections on that port; a firewall can refuse in its name.'),
      next: own ? [...ownServer(facts), t('Check the port number.')] : [t('Check the port number, and that the server runs.'), t('Check that the server listens on an address that others reach, not on 127.0.0.1.'), t('Check the firewall of that computer.')],
      setting: own ? 'hostAddress' : null,
    };
  },
  EADDRNOTAVAIL: (facts) => {
    if (!isLoopback(facts.host) && !/loopback/.test(facts.error.message)) return unknown(facts);
    return {
      title: t('{0} is the loopback address, which the stack does not reach', facts.host),
      sent: t('Nothing.'),
      received: t('Nothing.'),
      meaning: t("Loopback lives inside the operating system's own stack, which Riftnet bypasses: no packet to it ever leaves or enters."),
      next: [t("Connect to 'localhost' instead: that name stands for this computer's own address."), ...ownServer(facts)],
      setting: 'hostAddress',
    };
  },
  ENOTFOUND: ({ host }) => ({
    title: t('There is no name {0}', host),
    sent: t('A DNS question for the IPv4 address of {0}.', host),
    received: t('The answer that there is none.'),
    meaning: t("The name servers know the name not at all, or not with an IPv4 address. The operating system's hosts file is not read."),
    next: [
      t('Check the spelling.'),
      t('If the name is in your hosts file, use its address; for this computer itself, use localhost.'),
      t('If only a certain server knows the name, a company one for instance, give that server in riftnet.dns.'),
    ],
    setting: 'dns',
  }),
  EAI_AGAIN: ({ host, durationMs }) => ({
    title: t('No name server answered for {0}', host),
    sent: t('A DNS question for the IPv4 address of {0}, to each name server in turn.', host),
    received: t('Nothing usable within {0}.', formatDuration(durationMs)),
    meaning: t('The name may well exist. The computer is offline, or its name servers cannot be reached from here.'),
    next: [t('Check that the computer is online.'), t('Give name servers that can be reached in riftnet.dns.'), t('Try again: a name server can fail for a moment.')],
    setting: 'dns',
  }),
  ETIMEDOUT: (facts) => {
    if (!facts.wasOpen && facts.request === null) {
      return {
        title: t('{0} does not answer', facts.where),
        sent: connectionRequest(facts),
        received: t('Nothing, for {0}.', formatDuration(facts.durationMs)),
        meaning: t('The computer is off or not there, or a firewall on the way drops the packets without a word.'),
        next: [t('Check the address, and that the computer is on.'), t('Check the firewalls there and here.'), t('Save a capture, and see whether anything comes back.')],
      };
    }
    return {
      title: t('{0} did not answer in time', facts.where),
      sent: traffic(facts),
      received: t('{0}, then nothing more; given up after {1}.', formatBytes(facts.bytesRead), formatDuration(facts.durationMs)),
      meaning: t('The server takes longer than was allowed, or the way to it broke down.'),
      next: [facts.request === null ? t('See whether the server still runs.') : t('Allow more time: fetch(url, { timeoutMs: … }).'), t('Save a capture, and see who fell silent.')],
    };
  },
  EHOSTUNREACH: (facts) => ({
    title: t('There is no way to {0}', facts.where),
    sent: connectionRequest(facts),
    received: t('A message that the host cannot be reached (ICMP), or no answer to the question for its hardware address (ARP).'),
    meaning: t('A router says so, or no computer of the local network has that address.'),
    next: [t('Check the address, and that the computer is on.'), t('Check that this computer is in the network that the address belongs to, a VPN for instance.')],
  }),
  ENETUNREACH: (facts) => ({
    title: t('No network leads to {0}', facts.where),
    sent: facts.retransmissions > 0 || facts.wasOpen ? connectionRequest(facts) : t('Nothing.'),
    received: t('A message that the network cannot be reached (ICMP), or nothing.'),
    meaning: t('There is no route there, from here or from a router on the way.'),
    next: [t('Check that the computer is online.'), t('Check the address.')],
  }),
  ENETDOWN: () => ({
    title: t('The network is not there'),
    sent: t('Nothing.'),
    received: t('Nothing.'),
    meaning: t('The link is down or gone, or has no address: DHCP did not answer.'),
    next: [t('Check the cable or the Wi-Fi.'), t("Look into Riftnet's log: it says what the link waits for."), t('Set riftnet.link to gateway: that works without an interface of its own.')],
  }),
  EACCES: (facts) => ({
    title: t('The connection to {0} is forbidden', facts.where),
    sent: connectionRequest(facts),
    received: t('A message that it is prohibited.'),
    meaning: t('A firewall or a router on the way does not let it through, and says so.'),
    next: [t('Ask who keeps that firewall, or take another way.')],
  }),
  ECONNRESET: (facts) => ({
    title: t('{0} broke the connection off', facts.where),
    sent: traffic(facts),
    received: facts.bytesRead === 0 ? t('No data, then the end of the connection.') : t('{0}, then the end of the connection, too early.', formatBytes(facts.bytesRead)),
    meaning: t('The server, or something on the way, ended the connection before the exchange was complete.'),
    next: [
      t('Look into the log of the server: it may have crashed, or not like what it got.'),
      t('Check that the port speaks the protocol: plain HTTP to an HTTPS port ends like this.'),
      t('Save a capture, and see which side ended it.'),
    ],
  }),
  ECONNABORTED: (facts) => ({
    ...scriptEnded(facts),
    title: t('The exchange was given up'),
    meaning: facts.error.message,
    next: [t('Await the fetch before the script ends, and leave its socket open meanwhile.')],
  }),
  ECANCELED: (facts) => scriptEnded(facts),
  EWORKER: (facts) => ({
    ...scriptEnded(facts),
    title: t("Riftnet's network worker ended, and the connection with it"),
    meaning: t('Everything that ran in the worker ended with it. It is restarted by itself.'),
    next: [t('Run the script again.'), t("Look into Riftnet's log for the reason.")],
  }),
  ENOBUFS: ({ error }) => ({
    title: t('A limit of the stack is reached'),
    sent: t('Nothing.'),
    received: t('Nothing.'),
    meaning: error.message,
    next: [t('Close sockets that are no longer needed: socket.close().')],
  }),
  EMSGSIZE: (facts) => ({
    title: t('The answer is larger than was allowed'),
    sent: traffic(facts),
    received: t('More than {0}.', formatBytes(facts.bytesRead)),
    meaning: facts.error.message,
    next: [t('Allow more with the option maxBodyBytes of fetch.'), t('Or read the answer piece by piece over Network.Connect.')],
  }),
  EPROTO: (facts) => ({
    title: t('What {0} answered is no valid HTTP', facts.where),
    sent: traffic(facts),
    received: facts.error.message,
    meaning: t('The server does not speak HTTP on this port, or breaks its rules.'),
    next: [t('Check the port, and whether it is http: or https:.'), t('Read the raw answer over Network.Connect, which judges nothing.')],
  }),
  ELOOP: (facts) => ({
    title: t('The redirects never end'),
    sent: traffic(facts),
    received: t('One redirect after the other.'),
    meaning: facts.error.message,
    next: [t("See where each leads: fetch(url, { redirect: 'manual' }) and its header location.")],
  }),
  EINVAL: ({ error }) => ({
    title: t('The request cannot be made as it stands'),
    sent: t('Nothing.'),
    received: t('Nothing.'),
    meaning: error.message,
    next: [t('Mend what the message names.')],
  }),
  ERR_SSL_WRONG_VERSION_NUMBER: (facts) => ({
    title: t('{0} does not speak TLS', facts.where),
    sent: t('The beginning of a TLS handshake.'),
    received: t('Something else, plain HTTP most likely.'),
    meaning: t('The address begins with https:, and the server on this port does not.'),
    next: [t('Write http: instead of https:.'), t('Or take the port that speaks TLS, mostly 443.')],
  }),
};

function certificate(facts: Facts): Parts {
  return {
    title: t('{0} could not prove who it is', facts.host),
    sent: t('The beginning of a TLS handshake.'),
    received: t('A certificate that was not accepted: {0}.', facts.error.code),
    meaning: facts.error.message,
    next: [t('Check the name in the address: a certificate holds for certain names only.'), t('A server of your own with a certificate of its own is reached with http:.'), t("Check the computer's date.")],
  };
}

function scriptEnded(facts: Facts): Parts {
  return {
    title: t('The script ended first'),
    sent: facts.wasOpen ? traffic(facts) : t('As much as there was time for.'),
    received: t('{0} until then.', formatBytes(facts.bytesRead)),
    meaning: t('A fetch lives in its script: what is under way when the script ends is given up.'),
    next: [t('Await the fetch before the script ends.')],
  };
}

function unknown({ error, where, wasOpen, bytesRead, bytesWritten }: Facts): Parts {
  return {
    title: t('{0}: {1}', where, error.code),
    sent: wasOpen ? formatBytes(bytesWritten) : t('Nothing that is known.'),
    received: wasOpen ? formatBytes(bytesRead) : t('Nothing that is known.'),
    meaning: error.message,
    next: [t('Save a capture, and see what was sent and what came back.')],
  };
}
