/** Light or dark: what the reader chose on this device, or else what the system says. */

const STORAGE_KEY = "hapair-theme";
const DARK_CLASS = "pf-v6-theme-dark";

export type Theme = "system" | "light" | "dark";

const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

function show(): void {
  const theme = chosenTheme();
  const dark = theme === "dark" || (theme === "system" && systemIsDark.matches);
  document.documentElement.classList.toggle(DARK_CLASS, dark);
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(STORAGE_KEY);
  else localStorage.setItem(STORAGE_KEY, theme);
  show();
}

/** The page follows the chosen theme from now on, and the system's when it changes. */
export function startTheme(): void {
  show();
  systemIsDark.addEventListener("change", show);
}
