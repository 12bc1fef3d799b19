/** A line over time: gaps where the value was not known, marks where something failed or happened. */

export interface Point {
  at: number;
  value: number | null;
  failed?: boolean;
}

/** Something that happened, drawn through the whole height; a bad one in red. */
export interface Mark {
  at: number;
  bad: boolean;
  key: string;
}

interface Props {
  title: string;
  points: Point[];
  marks: Mark[];
  since: number;
  until: number;
  gapMs: number;
  /** A value in words. */
  text: (value: number) => string;
}

const WIDTH = 300;
const HEIGHT = 48;
const FAILED_HEIGHT = 14;

type Scale = (value: number) => number;

/** The known points as lines, each ending where the value was not known. A point alone is a short dash. */
function linesOf(points: Point[], gapMs: number, x: Scale, y: Scale): string {
  let path = "";
  let last: Point | null = null;
  for (const point of points) {
    if (point.value !== null) {
      const goesOn = last !== null && last.value !== null && point.at - last.at <= gapMs;
      path += `${goesOn ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`;
      if (!goesOn) path += "h0.1";
    }
    last = point;
  }
  return path;
}

export function LineChart({ title, points, marks, since, until, gapMs, text }: Props) {
  const known = points.flatMap((point) => (point.value === null ? [] : [point.value]));
  const highest = Math.max(0, ...known);
  const x: Scale = (at) => (Math.max(0, at - since) / Math.max(1, until - since)) * WIDTH;
  const y: Scale = (value) => HEIGHT - 2 - (highest === 0 ? 0 : (value / highest) * (HEIGHT - 4));
  const failed = points.filter((point) => point.failed);
  const last = points.at(-1)?.value ?? null;

  return (
    <figure className="hapair-chart">
      <figcaption>
        {title}: <strong>{last === null ? "not known" : text(last)}</strong>{" "}
        {known.length > 0 && <span className="hapair-quiet">at most {text(highest)}</span>}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {marks.map(({ at, bad, key }) => (
          <path
            key={key}
            className={bad ? "hapair-chart-mark hapair-chart-mark-bad" : "hapair-chart-mark"}
            d={`M${x(at).toFixed(1)} 0V${HEIGHT}`}
          />
        ))}
        <path className="hapair-chart-line" d={linesOf(points, gapMs, x, y)} />
        <path
          className="hapair-chart-failed"
          d={failed.map(({ at }) => `M${x(at).toFixed(1)} ${HEIGHT}v-${FAILED_HEIGHT}`).join("")}
        />
      </svg>
    </figure>
  );
}
