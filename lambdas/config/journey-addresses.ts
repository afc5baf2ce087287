// Which addresses a journey may reach: never the metadata service, never the machine it runs on. For the catalogue at synth and each connection at run time.
import ipaddr from 'ipaddr.js';

const always: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address', linkLocal: 'a link-local address, where instance metadata lives', multicast: 'a multicast address',
  broadcast: 'a broadcast address', rfc6145: 'a translated address', teredo: 'a Teredo tunnel', deprecatedSiteLocal: 'a site-local address',
};

/** Amazon's own services on an instance, the metadata service `fd00:ec2::254` among them. */
const amazonLocal: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('fd00:ec2::'), 32];

/** RFC 8215: a network's own NAT64; where in it the IPv4 address stands only that network knows. */
const localTranslation: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b:1::'), 48];

/**
 * Says why an address may not be reached, or null when it may. IPv4 addresses inside IPv6 ones count as what they are.
 * Private ranges pass: internal load balancers live there.
 */
export function refusal(address: string, isLoopbackAllowed: boolean): string | null {
  if (!ipaddr.isValid(address)) return 'not an IP address';
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv6) {
    const inner = embedded(parsed);
    if (inner !== null) return refusal(inner, isLoopbackAllowed);
    if (parsed.match(localTranslation)) return 'a translated address';
    if (parsed.match(amazonLocal)) return 'an address of the metadata service';
  }
  const range = parsed.range();
  if (range === 'loopback') return isLoopbackAllowed ? null : 'a loopback address that `allowLoopback` does not name';
  return always[range] ?? null;
}

/** The IPv4 address inside a mapped, compatible, NAT64 or 6to4 address. */
function embedded(address: ipaddr.IPv6): string | null {
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === 'ipv4Mapped' || range === 'rfc6052') return bytes.slice(12).join('.');
  if (range === '6to4') return bytes.slice(2, 6).join('.');
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0) && range !== 'unspecified' && range !== 'loopback';
  return isCompatible ? bytes.slice(12).join('.') : null;
}

/** A URL's host without the brackets of an IPv6 literal. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

export const portOf = (url: URL): string => (url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80');

/** Whether `allowLoopback` names the host of a URL, or the address it has, with its port. */
export const isLoopbackNamed = (url: URL, address: string, allowLoopback: readonly string[]): boolean =>
  allowLoopback.some((one) => one === `${url.hostname}:${portOf(url)}` || one === `${address}:${portOf(url)}` || one === `[${address}]:${portOf(url)}`);

/** Whether two URLs lead to the same server: another port is another one; only the step from http: to https: keeps the server and changes the port. */
export const isSameServer = (from: URL, to: URL): boolean =>
  to.hostname === from.hostname && (portOf(to) === portOf(from) || (portOf(from) === '80' && portOf(to) === '443'));

/** Whether a list names the host of a URL together with its port; a host without one stands for its scheme's own. */
export const namesServer = (hosts: readonly string[], url: URL): boolean => hosts.includes(url.host) || hosts.includes(`${url.hostname}:${portOf(url)}`);
