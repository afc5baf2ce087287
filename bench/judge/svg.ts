// Draws the charts of the page as plain SVG: no script, the same bytes for the same figures.

export const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly bottom: number;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

export const toX = (frame: Frame, value: number): number =>
  frame.left + ((value - frame.x[0]) / (frame.x[1] - frame.x[0])) * (frame.width - frame.left - 12);

export const toY = (frame: Frame, value: number): number =>
  frame.height - frame.bottom - ((value - frame.y[0]) / (frame.y[1] - frame.y[0])) * (frame.height - frame.bottom - 12);

export const round = (value: number): string => value.toFixed(1);

export interface Axis {
  readonly ticks: readonly number[];
  readonly label: string;
  readonly show: (value: number) => string;
}

export const axes = (frame: Frame, x: Axis, y: Axis): string => {
  const [low, high] = [toY(frame, frame.y[0]), toY(frame, frame.y[1])];
  const vertical = x.ticks.map((tick) => `<path class="grid" d="M${round(toX(frame, tick))} ${round(low)}V${round(high)}"/><text class="tick" x="${round(toX(frame, tick))}" y="${round(low + 16)}" text-anchor="middle">${x.show(tick)}</text>`);
  const horizontal = y.ticks.map((tick) => `<path class="grid" d="M${frame.left} ${round(toY(frame, tick))}H${frame.width - 12}"/><text class="tick" x="${frame.left - 6}" y="${round(toY(frame, tick) + 4)}" text-anchor="end">${y.show(tick)}</text>`);
  const labels = `<text class="label" x="${frame.width - 12}" y="${frame.height - 4}" text-anchor="end">${escape(x.label)}</text><text class="label" x="${frame.left}" y="9">${escape(y.label)}</text>`;
  return [...vertical, ...horizontal, labels].join('');
};

export const line = (frame: Frame, points: readonly (readonly [number, number])[], attributes: string): string => {
  let path = '';
  let isOpen = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(y)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? 'L' : 'M'}${round(toX(frame, x))} ${round(toY(frame, y))}`;
    isOpen = true;
  }
  return `<path fill="none" ${attributes} d="${path}"/>`;
};

export const picture = (frame: Frame, title: string, body: string): string =>
  `<svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${escape(title)}">${body}</svg>`;
