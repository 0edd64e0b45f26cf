/** Name servers as resolv.conf(5) names them. */

/** @returns the addresses after `nameserver`, in their order, unchecked */
export function parseResolvConf(text: string): string[] {
  const servers: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    // The keyword starts the line; what follows the address is ignored, as the C library does.
    const match = /^nameserver[ \t]+([^\s#;]+)/.exec(line);
    if (match?.[1]) servers.push(match[1]);
  }
  return servers;
}
