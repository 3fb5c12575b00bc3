/** The one place of the SDK that looks at the environment, where the runtime has one at all. */

interface Surroundings {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  readonly Deno?: { readonly env?: { get(name: string): string | undefined } };
}

/** The first of these variables that is set and not empty. Browsers and workers have none. */
export function readVariable(...names: readonly string[]): string | undefined {
  const { Deno, process }: Surroundings = globalThis;
  for (const name of names) {
    const value = Deno?.env ? Deno.env.get(name) : process?.env?.[name];
    if (value !== undefined && value.trim() !== '') return value.trim();
  }
  return undefined;
}
