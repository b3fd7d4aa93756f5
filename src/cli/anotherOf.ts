/** Collects the values of an option that may be given again. */
export const anotherOf = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
