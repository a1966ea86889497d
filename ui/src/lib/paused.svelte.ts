/** A value that follows another one after a pause, for what is typed and then asked. */

const PAUSE_MS = 150;

/** Must be called while a component is set up. */
export function paused<T>(of: () => T): { readonly now: T } {
  let now = $state.raw(of());
  $effect(() => {
    const next = of();
    const timer = setTimeout(() => (now = next), PAUSE_MS);
    return () => clearTimeout(timer);
  });
  return {
    get now() {
      return now;
    },
  };
}
