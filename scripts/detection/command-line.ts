/** What the programs of this folder do with a wrong command line: say why, say what is right, and end with exit code 2. */

/** A command line with its help. */
export class CommandLine {
  readonly #usage: string;

  constructor(usage: string) {
    this.#usage = usage;
  }

  /** End the process. */
  refuse(why: string): never {
    console.error(`${why}\nusage: ${this.#usage}`);
    process.exit(2);
  }

  /** What `parse` gives; what it throws refuses the command line. */
  parse<Values>(parse: () => Values): Values {
    try {
      return parse();
    } catch (error) {
      return this.refuse(error instanceof Error ? error.message : String(error));
    }
  }

  /** The value of an option that is a whole number. */
  whole(name: string, text: string, least: number, most: number): number {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
    return this.refuse(`--${name} ${text} is not a whole number from ${least} to ${most}`);
  }
}
