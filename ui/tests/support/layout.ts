/** Looks over the page as it lies there and says what overlaps, is cut off or sticks out. */
import type { Page } from 'playwright-core';

export function flaws(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const open = [...document.querySelectorAll('dialog[open]')].at(-1);
    const root = open ?? document.body;
    const name = (element: Element) => {
      const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 50);
      const kind = element
        .getAttribute('class')
        ?.replace(/svelte-\w+/g, '')
        .trim();
      return `<${element.tagName.toLowerCase()}${kind ? ` .${kind}` : ''}> “${text}”`;
    };
    /** The part of an element that its scrolling or cutting ancestors leave in sight. */
    const seen = (element: Element) => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      const box = { left: Math.max(left, 0), top: Math.max(top, 0), right, bottom };
      box.right = Math.min(right, innerWidth);
      box.bottom = Math.min(bottom, innerHeight);
      for (let up = element.parentElement; up; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (style.overflowX === 'visible' && style.overflowY === 'visible') continue;
        const frame = up.getBoundingClientRect();
        box.left = Math.max(box.left, frame.left);
        box.top = Math.max(box.top, frame.top);
        box.right = Math.min(box.right, frame.right);
        box.bottom = Math.min(box.bottom, frame.bottom);
      }
      return box;
    };
    const visible = (element: Element) =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
      !element.closest('.unseen') &&
      getComputedStyle(element).clipPath === 'none';

    if (document.documentElement.scrollWidth > innerWidth) {
      found.push(`the page is ${document.documentElement.scrollWidth} wide where ${innerWidth} are`);
    }
    for (const element of root.querySelectorAll('main, dialog .body, nav')) {
      if (element.scrollWidth > element.clientWidth + 1) {
        found.push(
          `${element.tagName.toLowerCase()} scrolls sideways: ${element.scrollWidth} of ${element.clientWidth}`,
        );
      }
    }
    for (const element of root.querySelectorAll<HTMLElement>('*')) {
      if (!visible(element) || element.closest('svg, canvas, .uplot, select')) continue;
      const style = getComputedStyle(element);
      if (style.display === 'inline') continue;
      const text = [...element.childNodes].some(
        (n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim(),
      );
      if (!text) continue;
      const cuts = style.overflowX === 'hidden' || style.overflowX === 'clip';
      const wide = element.scrollWidth - element.clientWidth > 1 && element.clientWidth > 0;
      const high =
        style.overflowY === 'hidden' &&
        element.scrollHeight - element.clientHeight > 3 &&
        element.clientHeight > 0;
      if ((wide || high) && !element.closest('[title]')) {
        found.push(
          cuts || high
            ? `cut off without a way to read it: ${name(element)}`
            : `sticks out: ${name(element)}`,
        );
      }
    }
    // What can be pressed is not covered by something else.
    for (const element of root.querySelectorAll('a[href], button, input, select, textarea, summary')) {
      if (!visible(element)) continue;
      const box = seen(element);
      if (box.right - box.left < 4 || box.bottom - box.top < 4) continue;
      const hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
      if (!hit || element.contains(hit) || hit.contains(element)) continue;
      if (hit.closest('label')?.contains(element) || hit.closest('.toasts')) continue;
      if (hit.closest('label')?.getAttribute('for') === element.id && element.id) continue;
      // A row under a heading or a column that stays put: it scrolls from under it.
      if (hit.closest('thead, .head, td, th') && element.closest('table, [role=table]')) continue;
      found.push(`${name(element)} is covered by ${name(hit)}`);
    }
    // Words do not lie on words.
    const words: { box: DOMRect; of: Element }[] = [];
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node && words.length < 3000; node = walk.nextNode()) {
      const parent = node.parentElement;
      if (
        !parent ||
        !node.textContent?.trim() ||
        !visible(parent) ||
        parent.closest('.uplot, .toasts, option')
      )
        continue;
      const sight = seen(parent);
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        const inside = new DOMRect(
          Math.max(box.left, sight.left),
          Math.max(box.top, sight.top),
          Math.min(box.right, sight.right) - Math.max(box.left, sight.left),
          Math.min(box.bottom, sight.bottom) - Math.max(box.top, sight.top),
        );
        if (inside.width > 2 && inside.height > 2) words.push({ box: inside, of: parent });
      }
    }
    words.sort((a, b) => a.box.top - b.box.top);
    for (let i = 0; i < words.length; i++) {
      const one = words[i]!;
      for (let j = i + 1; j < words.length && words[j]!.box.top < one.box.bottom - 3; j++) {
        const other = words[j]!;
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - other.box.top;
        if (wide <= 2 || high <= one.box.height * 0.3) continue;
        if (one.of === other.of || one.of.contains(other.of) || other.of.contains(one.of)) continue;
        const sticky = [one.of, other.of].some((e) =>
          e.closest('thead, .head, td:last-child, th:last-child'),
        );
        if (sticky) continue;
        found.push(`words lie on words: ${name(one.of)} and ${name(other.of)}`);
      }
    }
    return [...new Set(found)];
  });
}
