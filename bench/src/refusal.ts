/** A request of the person at the terminal that cannot be met: one line, no stack trace. */
export class BenchRefusal extends Error {
  /** 1: the run or a result is not good; 2: the command line is not. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.name = "BenchRefusal";
    this.exitCode = exitCode;
  }
}
