/** Redirects as the web follows them (Fetch Standard §4.4, HTTP-redirect fetch; RFC 9110 §15.4). */
import type { HttpRequest } from './request';
import { NetworkError } from './stream';

/** Fetch Standard §4.4 step 7. */
export const MAX_REDIRECTS = 20;

const STATUSES = [301, 302, 303, 307, 308];
/** What describes a body, and goes with it. */
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];
/** What is meant for one server only. */
const PRIVATE_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'host'];

export function isRedirect(status: number, headers: Readonly<Record<string, string>>): boolean {
  return STATUSES.includes(status) && headers['location'] !== undefined;
}

/** The request that follows a redirect. @throws NetworkError if its Location cannot be followed */
export function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  let url: URL;
  try {
    // Header fields are read as Latin-1; a Location in UTF-8, though forbidden, is common.
    url = new URL(Buffer.from(location, 'latin1').toString('utf8'), request.url);
  } catch {
    throw new NetworkError('EINVAL', `${request.url.href} redirects to ${JSON.stringify(location)}, which is no address: redirect 'manual' gives the redirect itself`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new NetworkError('EINVAL', `${request.url.href} redirects to ${url.href}: only http: and https: are followed; redirect 'manual' gives the redirect itself`);
  }
  if (url.port === '0') throw new NetworkError('EINVAL', `${request.url.href} redirects to ${url.href}, whose port is not from 1 to 65535: redirect 'manual' gives the redirect itself`);
  if (url.hash === '') url.hash = request.url.hash;
  const toGet = status === 303 ? request.method !== 'GET' && request.method !== 'HEAD' : (status === 301 || status === 302) && request.method === 'POST';
  const dropped = new Set([...(toGet ? BODY_HEADERS : []), ...(url.origin === request.url.origin ? [] : PRIVATE_HEADERS)]);
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !dropped.has(name)));
  return toGet ? { ...request, url, headers, method: 'GET', body: null } : { ...request, url, headers };
}
