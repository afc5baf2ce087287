// Identifiers that AWS makes up: by chance, or always the same ones for a run that has to be played again.
import { hash, randomBytes } from 'node:crypto';

export interface Ids {
  /** @param kind what it is for: each kind has its own order, so that one more of one kind changes none of another. */
  bytes(kind: string, count: number): Buffer;
}

export const byChance: Ids = { bytes: (_, count) => randomBytes(count) };

/** The n-th of a kind is the same in every run with this seed. Nothing here is a secret: of a sandbox that anybody else can reach, take `byChance`. */
export function seededIds(seed: string): Ids {
  const given = new Map<string, number>();
  return {
    bytes: (kind, count) => {
      const nth = given.get(kind) ?? 0;
      given.set(kind, nth + 1);
      const block = (index: number): Buffer => hash('sha256', `${seed} ${kind} ${nth} ${index}`, 'buffer');
      // As all ids but task tokens.
      if (count <= 32) return block(0).subarray(0, count);
      return Buffer.concat(Array.from({ length: Math.ceil(count / 32) }, (_, index) => block(index))).subarray(0, count);
    },
  };
}

/** Of version 4, as text. */
export function uuid(ids: Ids, kind: string): string {
  const made = ids.bytes(kind, 16);
  made.writeUInt8((made.readUInt8(6) & 0x0f) | 0x40, 6);
  made.writeUInt8((made.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = made.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** As `Math.random`: from 0 to below 1. */
export const chance = (ids: Ids, kind: string): number => ids.bytes(kind, 6).readUIntBE(0, 6) / 2 ** 48;
