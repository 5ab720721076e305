/**
 * Programs that were admitted lately, by the hash of their bytes, so that the same module is checked and compiled once.
 *
 * KP1. A program is known while somebody holds it, and among the last {@link KEPT} that were admitted, with {@link KEPT_BYTES} of modules together.
 * KP2. The hash is over all bytes that were given, signature included: what is known was checked in exactly this form.
 */

/** Programs that are kept although nobody holds them. */
export const KEPT = 4;
/** Bytes of their modules together; one module may have more. */
export const KEPT_BYTES: number = 16 * 1024 * 1024;

/** The programs one engine knows. */
export class KnownPrograms<Program extends object> {
  readonly #known = new Map<string, WeakRef<Program>>();
  readonly #kept = new Map<string, { readonly program: Program; readonly bytes: number }>();

  /** The program of a hash, which is now the one admitted last. */
  get(hash: string): Program | undefined {
    const program = this.#known.get(hash)?.deref();
    const bytes = this.#kept.get(hash)?.bytes;
    if (program !== undefined && bytes !== undefined) this.#keep(hash, program, bytes);
    return program;
  }

  /** Remember one. */
  add(hash: string, program: Program, bytes: number): void {
    for (const [old, reference] of this.#known) if (reference.deref() === undefined) this.#known.delete(old);
    this.#known.set(hash, new WeakRef(program));
    this.#keep(hash, program, bytes);
  }

  #keep(hash: string, program: Program, bytes: number): void {
    this.#kept.delete(hash);
    this.#kept.set(hash, { program, bytes });
    let total = 0;
    for (const kept of this.#kept.values()) total += kept.bytes;
    for (const [oldest, kept] of this.#kept) {
      if ((this.#kept.size <= KEPT && total <= KEPT_BYTES) || oldest === hash) break;
      this.#kept.delete(oldest);
      total -= kept.bytes;
    }
  }
}
