/** The first fault after which a node cannot be sure of its state ends its work; all later ones follow from it. */
export class FailStop {
  readonly #listeners: ((error: unknown) => void)[] = []
  #failed = false

  get failed(): boolean {
    return this.#failed
  }

  /** Adds what is to stop, in order. */
  onFailure(listener: (error: unknown) => void): void {
    this.#listeners.push(listener)
  }

  readonly raise = (error: unknown): void => {
    if (this.#failed) return
    this.#failed = true
    for (const listener of this.#listeners) listener(error)
  }
}
