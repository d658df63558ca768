/** Functions that run in a page of a real browser, and so may use nothing from here. */

/** As much of the DOM as they look at: its own types would be in force in all our files. */
interface Element {
  readonly tagName: string
  readonly lang: string
  readonly textContent: string | null
  readonly outerHTML: string
  readonly parentElement: Element | null
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string | null }>
  readonly scrollWidth: number
  readonly clientWidth: number
  querySelectorAll(selector: string): Iterable<Element>
  getBoundingClientRect(): { readonly height: number }
}
declare const document: Element & {
  readonly documentElement: Element
  readonly body: Element
  readonly title: string
  readonly activeElement: Element
  readonly scripts: { readonly length: number }
}
declare function getComputedStyle(element: Element): Readonly<Record<'color' | 'backgroundColor' | 'outlineStyle', string>>

/** What a key would press, and how that is shown. */
export function focusedNow(): readonly [text: string | null, outline: string] {
  return [document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]
}

/** Contrast as WCAG 2.2, 1.4.3 computes it; 4.5 is asked of all text, large or not. */
export function lookAt() {
  const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const paperOf = (element: Element | null): string => {
    if (element === null) return 'rgb(255, 255, 255)'
    const { backgroundColor } = getComputedStyle(element)
    return channels(backgroundColor)[3] === 0 ? paperOf(element.parentElement) : backgroundColor
  }
  const withText = [...document.body.querySelectorAll('*')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()),
  )
  const pale = withText.flatMap((element) => {
    const [ink, paper] = [luminance(getComputedStyle(element).color), luminance(paperOf(element))]
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)
    return contrast < 4.5 ? [`${element.tagName} ${contrast.toFixed(2)}`] : []
  })
  const pressed = [...document.querySelectorAll('button, a')]
  return {
    language: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(({ tagName }) => Number(tagName[1])),
    mains: [...document.querySelectorAll('main')].length,
    nameless: pressed.filter(({ textContent }) => textContent?.trim() === '').map(({ outerHTML }) => outerHTML),
    small: pressed.filter((one) => one.getBoundingClientRect().height < 44).map(({ textContent }) => textContent),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    texts: withText.length,
    pale,
    scripts: document.scripts.length,
  }
}
