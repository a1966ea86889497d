/** What a person chose for this screen: theme, contrast, how the bench is shown. Kept by the browser. */

import type { LabelSheet } from './wire';

const KEY = 'punnet.taste';

interface Taste {
  theme: 'system' | 'light' | 'dark';
  contrast: 'system' | 'more';
  view: 'tiles' | 'list';
  /** The paper labels were last printed on. */
  paper: Exclude<LabelSheet, 'unknown'>;
}

const usual: Taste = { theme: 'system', contrast: 'system', view: 'tiles', paper: 'a4x24' };

function kept(): Taste {
  try {
    return { ...usual, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Taste>) };
  } catch {
    return usual;
  }
}

class Kept {
  #taste: Taste = $state(kept());

  get theme() {
    return this.#taste.theme;
  }
  get contrast() {
    return this.#taste.contrast;
  }
  get view() {
    return this.#taste.view;
  }

  get paper() {
    return this.#taste.paper;
  }

  set(change: Partial<Taste>) {
    Object.assign(this.#taste, change);
    localStorage.setItem(KEY, JSON.stringify(this.#taste));
    this.show();
  }

  /** Puts theme and contrast on the document. */
  show() {
    const { dataset } = document.documentElement;
    if (this.#taste.theme === 'system') delete dataset.theme;
    else dataset.theme = this.#taste.theme;
    if (this.#taste.contrast === 'system') delete dataset.contrast;
    else dataset.contrast = this.#taste.contrast;
  }
}

export const taste = new Kept();
