import { Nav, NavItem, NavList, PageSidebar, PageSidebarBody } from "@patternfly/react-core";
import { Link, useLocation } from "wouter";

import { PAGES } from "./pages";
import { useMayChange } from "./session";

/** On a page below `/jobs`, the entry Jobs is the current one. */
function isCurrent(path: string, location: string): boolean {
  return path === "/" ? location === "/" : location === path || location.startsWith(`${path}/`);
}

export function Navigation({ onSelect }: { onSelect: () => void }) {
  const [location] = useLocation();
  const mayChange = useMayChange();
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Pages" onSelect={onSelect}>
          <NavList>
            {PAGES.filter((page) => !page.hidden && (mayChange || !page.administrators)).map((page) => (
              <NavItem key={page.path} isActive={isCurrent(page.path, location)}>
                <Link href={page.path}>{page.title}</Link>
              </NavItem>
            ))}
          </NavList>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}
