/** A line over time: gaps where the value was not known, marks where something failed. */

export interface Point {
  at: number;
  value: number | null;
  failed?: boolean;
}

interface Props {
  title: string;
  points: Point[];
  /** A value in words. */
  text: (value: number) => string;
}

const WIDTH = 300;
const HEIGHT = 48;

/** The known points as lines, each ending where the value was not known. */
function linesOf(points: Point[], x: (at: number) => number, y: (value: number) => number): string {
  let path = "";
  let drawing = false;
  for (const { at, value } of points) {
    if (value !== null) path += `${drawing ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    drawing = value !== null;
  }
  return path;
}

export function LineChart({ title, points, text }: Props) {
  const known = points.flatMap((point) => (point.value === null ? [] : [point.value]));
  const last = points.at(-1);
  const first = points[0];
  if (!first || !last) return null;
  const highest = Math.max(...known, 0);
  const span = Math.max(1, last.at - first.at);
  const x = (at: number) => ((at - first.at) / span) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (highest === 0 ? 0 : (value / highest) * (HEIGHT - 4));
  const now = last.value === null ? "not known" : text(last.value);

  return (
    <figure className="hapair-chart">
      <figcaption>
        {title}: <strong>{now}</strong>{" "}
        {known.length > 0 && <span className="hapair-quiet">at most {text(highest)}</span>}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="hapair-chart-line" d={linesOf(points, x, y)} />
        {points.map(
          ({ at, failed }) =>
            failed && <path key={at} className="hapair-chart-failed" d={`M${x(at).toFixed(1)} ${HEIGHT}V${HEIGHT - 14}`} />,
        )}
      </svg>
    </figure>
  );
}
