/** Sentences and tables of results that may lack rows: what was not measured is left out. */

type Given<T extends readonly unknown[]> = { readonly [K in keyof T]: T[K] | undefined }

/** One item when everything was measured, none otherwise. */
export function given<T extends readonly unknown[], R>(values: Given<T>, make: (...values: T) => R): R[] {
  return values.every((value) => value !== undefined) ? [make(...(values as unknown as T))] : []
}
