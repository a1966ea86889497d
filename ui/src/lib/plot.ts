/** Draws lines with uPlot, which is fetched only when a page has a plot. */
import type uPlot from 'uplot';

export interface Line {
  name: string;
  tone: 'work' | 'done' | 'accent';
}

export interface Look {
  lines: Line[];
  /** Is the horizontal axis the time of day, in seconds? */
  time: boolean;
  height: number;
  /** Figures at the axes. */
  xValue?: (value: number) => string;
  yValue: (value: number) => string;
}

/** The axes together with what is drawn over them. The first list is the horizontal axis. */
export type Data = [number[], ...(number | null | undefined)[][]];

/** Puts a plot into an element. Colours are read from elements that carry the tokens. */
export async function draw(host: HTMLElement, look: Look, data: Data): Promise<uPlot> {
  const [{ default: Plot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
  const colour = (name: string) => getComputedStyle(host.querySelector(`.tone-${name}`) ?? host).color;
  const grid = { stroke: colour('line'), width: 1 };
  const axis = { stroke: colour('text'), grid, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  return new Plot(
    {
      width: Math.max(80, host.clientWidth),
      height: look.height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { time: look.time },
        y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.1] },
      },
      axes: [
        {
          ...axis,
          size: 28,
          space: 100,
          ...(look.xValue ? { values: (_, at) => at.map((v) => look.xValue?.(v) ?? '') } : {}),
        },
        { ...axis, size: 52, space: 18, values: (_, at) => at.map(look.yValue) },
      ],
      series: [
        {},
        ...look.lines.map((line, i) => ({
          label: line.name,
          stroke: colour(line.tone),
          width: 2,
          spanGaps: true,
          points: { show: false },
          // A second line is told apart by more than its colour.
          ...(i > 0 ? { dash: [6, 4] } : {}),
        })),
      ],
    },
    data as uPlot.AlignedData,
    host,
  );
}

/** Puts several curves, each with places of its own, onto one axis. */
export function join(curves: { at: number; rate: number }[][]): Data {
  const places = [...new Set(curves.flat().map((p) => p.at))].sort((a, b) => a - b);
  const where = new Map(places.map((at, i) => [at, i]));
  const lines = curves.map((curve) => {
    const line: (number | null | undefined)[] = new Array(places.length);
    for (const { at, rate } of curve) line[where.get(at) ?? 0] = rate;
    return line;
  });
  return [places, ...lines];
}
