/** The operator's token of the browser: out of the address once, then kept while the tab is open. */

const KEY = 'punnet.token';

class Token {
  get(): string | null {
    return sessionStorage.getItem(KEY);
  }

  set(text: string) {
    sessionStorage.setItem(KEY, text.trim());
  }

  forget() {
    sessionStorage.removeItem(KEY);
  }

  /** Takes `#token=…` out of the address, so that it stays in no history. */
  fromAddress() {
    const found = /(?:^#|&)token=([0-9a-zA-Z_-]+)/.exec(location.hash);
    if (!found?.[1]) return;
    this.set(found[1]);
    history.replaceState(null, '', location.pathname + location.search);
  }
}

export const token = new Token();
