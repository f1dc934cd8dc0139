/** Whether it is a URL at which a node can be. */
export const isNodeUrl = (url: string): boolean => /^https?:\/\//.test(url) && URL.canParse(url)

/** A URL as messages and logs show it: without user, password and query, in which secrets stand. */
export function urlText(url: string): string {
  if (!/[@?]/.test(url)) return url
  if (!URL.canParse(url)) return 'the URL'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}
