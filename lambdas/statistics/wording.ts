// Numbers as people read them: minutes instead of points, per cent, thousands apart.

/** `3 minutes`, `1 hour`, `90 seconds`. */
export const duration = (points: number, periodSeconds: number): string => {
  const seconds = points * periodSeconds;
  const [value, unit] = seconds < 120 && seconds % 60 !== 0 ? [seconds, 'second'] : seconds < 7200 && seconds !== 3600 ? [seconds / 60, 'minute'] : [seconds / 3600, 'hour'];
  const rounded = Math.round(value * 10) / 10;
  return `${rounded} ${unit}${rounded === 1 ? '' : 's'}`;
};

/** Three significant digits, thousands apart by commas. */
export const number = (value: number): string => {
  const rounded = value === 0 ? 0 : Number(value.toPrecision(3));
  const [whole = '0', fraction] = String(Math.abs(value) >= 1000 ? Math.round(value) : rounded).split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? apart : `${apart}.${fraction}`;
};

/** A share as per cent. */
export const percent = (share: number): string => `${number(share * 100)} %`;

/** A rise with its sign: `+2 %`, `−30 %`. */
export const signedPercent = (share: number): string => {
  const rounded = Math.round(share * 1000) / 10;
  return `${rounded < 0 ? '−' : '+'}${number(Math.abs(rounded))} %`;
};

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
