// Which addresses a journey may connect to: never the metadata service, never the machine it runs on.
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Error name `AddressRefused`: the journey names, or its host resolves to, an address that no journey may reach. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

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

const isNamed = (url: URL, address: string, allowLoopback: readonly string[]): boolean =>
  allowLoopback.some((one) => one === `${url.hostname}:${portOf(url)}` || one === `${address}:${portOf(url)}` || one === `[${address}]:${portOf(url)}`);

function assertReachable(url: URL, address: string, allowLoopback: readonly string[]): void {
  const why = refusal(address, isNamed(url, address, allowLoopback));
  if (why !== null) throw new AddressRefused(`${url.hostname} is ${address}, ${why}`);
}

/**
 * The `lookup` for one connection: resolves, then refuses when any address is out of bounds. What it returns is what the socket connects to, so that a
 * name cannot resolve to one address for the check and to another for the connection.
 * @throws AddressRefused at once for an IP literal, which node:net connects to without a lookup.
 */
export function fence(url: URL, allowLoopback: readonly string[], resolve: LookupFunction = systemLookup): LookupFunction {
  if (ipaddr.isValid(bareHost(url))) assertReachable(url, bareHost(url), allowLoopback);
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) { callback(error, []); return; }
      const addresses: LookupAddress[] = Array.isArray(found) ? found : [{ address: found, family: found.includes(':') ? 6 : 4 }];
      try {
        for (const one of addresses) assertReachable(url, one.address, allowLoopback);
      } catch (refused) { callback(refused as Error, []); return; }
      const first = addresses[0];
      if (options.all === true) callback(null, addresses);
      else if (first === undefined) callback(new Error(`${hostname} has no address`), []);
      else callback(null, first.address, first.family);
    });
  };
}
