/** What the API says when it can't do what was asked (RFC 9457), as an error to be shown to a person. */

interface ProblemDocument {
  status?: number;
  code?: string;
  title?: string;
  detail?: string;
  hint?: string;
  errors?: Record<string, string[] | string>;
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** Sentences by field name. */
  readonly errors: Record<string, string[]>;

  constructor(document: ProblemDocument) {
    super(document.title ?? "The Server Gave No Reason");
    this.status = document.status ?? 0;
    this.code = document.code ?? "unknown";
    this.title = this.message;
    this.detail = document.detail ?? "";
    this.hint = document.hint ?? "";
    this.errors = Object.fromEntries(
      Object.entries(document.errors ?? {}).map(([name, sentences]) => [name, [sentences].flat()]),
    );
  }
}

/** The problem of an answer that is not a success, whatever its body is. */
export async function problemOf(response: Response): Promise<Problem> {
  try {
    const document = (await response.json()) as ProblemDocument;
    return new Problem({ ...document, status: response.status });
  } catch {
    return new Problem({
      status: response.status,
      code: "unexpected-answer",
      title: "The Server Gave an Unexpected Answer",
      detail: `The console's request was answered with HTTP status ${response.status} and nothing that it can read.`,
      hint: "The API on this server may be starting. Try again in a moment; its log says more.",
    });
  }
}

/** The problem of a request that got no answer at all. */
export function unreachable(): Problem {
  return new Problem({
    code: "unreachable",
    title: "This Server Does Not Answer",
    detail: "The console could not reach the API of the server that it came from.",
    hint: "Check the network between you and the server, or open the console of the other server.",
  });
}

/** Any thrown value as a problem. A programmer's mistake stays visible as what it is. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({
    code: "console-failed",
    title: "The Console Made a Mistake",
    detail: error instanceof Error ? error.message : String(error),
    hint: "Load the page again. If it comes back, report it with this text.",
  });
}
