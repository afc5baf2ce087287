// Which addresses a journey may connect to: never the metadata service, never the machine it runs on.
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { bareHost, isLoopbackNamed, refusal } from '../config/journey-addresses.ts';

/** Error name `AddressRefused`: the journey names, or its host resolves to, an address that no journey may reach. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

function assertReachable(url: URL, address: string, allowLoopback: readonly string[]): void {
  const why = refusal(address, isLoopbackNamed(url, address, allowLoopback));
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
