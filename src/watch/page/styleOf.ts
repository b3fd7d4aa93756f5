/** The colour of a property, as the page's style has it now. */
export function styleOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
