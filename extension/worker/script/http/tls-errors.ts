/** What is wrong with a certificate or with TLS, and what to do about it. */

import { isAddress } from './origin';

const TRUST = 'add the authority that signed it with --ca FILE (setting riftnet.extraCaCertificates)';

/** By the code of OpenSSL's verification. */
const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired: it must be renewed there, or this computer's clock is wrong",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: this computer's clock may be wrong",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself, not by an authority; if it is to be trusted, add it with --ca FILE (setting riftnet.extraCaCertificates)",
  SELF_SIGNED_CERT_IN_CHAIN: `the server's certificate is signed by an authority that is not trusted; if it is to be, ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the server's certificate is signed by an authority that is not known; if it is to be trusted, ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT: `an authority in the chain of the server's certificate is not known; if it is to be trusted, ${TRUST}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the server's certificate is signed by an authority that is not known; if it is to be trusted, ${TRUST}; if it is a public one, the server should send the certificates between`,
  CERT_REVOKED: "the server's certificate has been revoked: it must be replaced there",
  INVALID_PURPOSE: "the server's certificate is not meant for a server",
};

/** @returns null if it is no matter of TLS */
export function explainTls(error: Error, code: string, url: string): string | null {
  const certificate = CERTIFICATE_ERRORS[code];
  if (certificate !== undefined) return `${url}: ${certificate}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${url}: ${otherName(new URL(url).hostname, namesOf(error))}`;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return `${url}: the server does not speak TLS on this port; is it an http: address?`;
  if (code === 'ERR_SSL_UNSUPPORTED_PROTOCOL' || code === 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION') return `${url}: the server and this client have no version of TLS in common: this one speaks 1.2 and 1.3`;
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_')) return null;
  // OpenSSL's own messages name its source's file and line: their reason is what a person can use.
  const reason = 'reason' in error && typeof error.reason === 'string' && error.reason !== '' ? error.reason : error.message;
  return `${url}: TLS failed: ${reason}`;
}

function otherName(hostname: string, names: string): string {
  if (!isAddress(hostname)) return `the server's certificate is for another name (${names}): use one of those in the address, or give the server a certificate for this one`;
  return `the server's certificate does not name the address ${hostname} (${names}): use one of its names instead, or give the server a certificate whose subjectAltName has this IP address`;
}

function namesOf(error: Error): string {
  const cert: unknown = 'cert' in error ? error.cert : null;
  const names = typeof cert === 'object' && cert !== null && 'subjectaltname' in cert && typeof cert.subjectaltname === 'string' ? cert.subjectaltname : '';
  return names === '' ? 'it names none' : names.length > 200 ? `${names.slice(0, 200)}…` : names;
}
