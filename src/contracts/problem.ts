/** How a process that met this problem exits: 1 the run failed, 2 usage or configuration, 3 a gate or check refused, 4 a person must decide. */
export type ProblemExit = 1 | 2 | 3 | 4;

/** Something wrong that was expected to happen one day: what, where, expected, found, and the next command. */
export interface Problem {
  /** kebab-case, closed per family; scripts may branch on it. */
  readonly reason: string;
  /** One sentence that names the thing that is wrong. */
  readonly message: string;
  /** File and line, address of a parameter, id of a document. */
  readonly where?: string;
  readonly expected?: string;
  readonly found?: string;
  /** What to do next, a command where there is one. */
  readonly hint?: string;
  /** Frames of the code that failed, innermost first in JavaScript and last in Python: for the card of the failure alone. */
  readonly stack?: string;
  readonly exit: ProblemExit;
}

/** Carries a problem through code that can only throw; caught at the one boundary around user code and at the top of the command line. */
export class ProblemError extends Error {
  readonly problem: Problem;
  override readonly name = 'ProblemError';
  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }
}

/** A value or the problem that stood in its way. */
export type Result<Value, Failure = Problem> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure };
