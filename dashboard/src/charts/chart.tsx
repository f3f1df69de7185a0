/** One quantity over time, as bars. What it shows is in a table, too: whoever uses it says where. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { THEME_CHANGED } from '../ui/theme.tsx';

const HEIGHT_PX = 160;
const BAR_SHARE = 0.7; // of the room of one step
const MAX_BAR_PX = 40;

/** By distance in seconds: years, months, days, hours, minutes. 24 hours, the day in the second line. */
const TIME_VALUES: uPlot.Axis.Values = [
  [31_536_000, '{YYYY}', null, null, null, null, null, null, 1],
  [2_419_200, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{M}/{D}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{MM}-{DD}', null, null, null, null, null, 1],
];

interface ChartProps {
  readonly title: string;
  readonly colour: 'link' | 'bad' | 'good';
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly toText: (value: number) => string;
}

export function Chart({ title, colour, times, values, toText }: ChartProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = useRef<uPlot.AlignedData>([[], []]);
  data.current = [[...times], [...values]];
  useEffect(() => {
    const box = host.current;
    if (box === null) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(toOptions(box, { title, colour, toText }), data.current, box);
    };
    draw();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: HEIGHT_PX }));
    sizes.observe(box);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    addEventListener(THEME_CHANGED, draw);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', draw);
      removeEventListener(THEME_CHANGED, draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [title, colour, toText]);
  useEffect(() => plot.current?.setData(data.current), [JSON.stringify(data.current)]);
  const total = values.reduce((sum, value) => sum + value, 0);
  return (
    <figure class="chart card" role="group" aria-label={`${title} over time; ${toText(total)} in all`}>
      <figcaption>
        {title} <span class="muted">{toText(total)}</span>
      </figcaption>
      <div ref={host} aria-hidden="true" />
    </figure>
  );
}

function toOptions(
  box: HTMLElement,
  { title, colour, toText }: Pick<ChartProps, 'title' | 'colour' | 'toText'>,
): uPlot.Options {
  const text = colourOf(box, '--muted');
  const bars = uPlot.paths.bars?.({ size: [BAR_SHARE, MAX_BAR_PX], align: 1 });
  const axis = { stroke: text, grid: { stroke: colourOf(box, '--line'), width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(box.clientWidth, 1),
    height: HEIGHT_PX,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [
      { ...axis, values: TIME_VALUES },
      { ...axis, size: 64, values: (_plot, splits) => splits.map(toText) },
    ],
    series: [
      { label: 'UTC', value: '{YYYY}-{MM}-{DD} {HH}:{mm}' },
      {
        label: title,
        fill: colourOf(box, `--${colour}`),
        stroke: colourOf(box, `--${colour}`),
        ...(bars !== undefined && { paths: bars }),
        points: { show: false },
        value: (_plot, value) => (value === null ? '–' : toText(value)),
      },
    ],
  };
}

/** As the theme has it now: a canvas does not know of custom properties. */
function colourOf(box: HTMLElement, property: string): string {
  box.style.color = `var(${property})`;
  const { color } = getComputedStyle(box);
  box.style.color = '';
  return color;
}
