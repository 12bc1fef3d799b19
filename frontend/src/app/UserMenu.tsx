import { AlertGroup, Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from "@patternfly/react-core";
import UserIcon from "@patternfly/react-icons/dist/esm/icons/user-icon";
import { useState } from "react";
import { useLocation } from "wouter";

import { ProblemAlert } from "../components/ProblemAlert";
import { useAction } from "../lib/useAction";
import { useSession } from "./session";
import { chooseTheme, chosenTheme, type Theme } from "./theme";

const THEMES: { theme: Theme; text: string }[] = [
  { theme: "system", text: "Theme of the system" },
  { theme: "light", text: "Light theme" },
  { theme: "dark", text: "Dark theme" },
];

export function UserMenu() {
  const { session, logOut } = useSession();
  const [, navigate] = useLocation();
  const [open, setOpen] = useState(false);
  const leaving = useAction();
  const [theme, setTheme] = useState(chosenTheme);

  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };

  return (
    <>
      <Dropdown
        isOpen={open}
        onOpenChange={setOpen}
        onSelect={() => {
          setOpen(false);
        }}
        popperProps={{ position: "right" }}
        toggle={(reference) => (
          <MenuToggle
            ref={reference}
            variant="plainText"
            icon={<UserIcon />}
            isExpanded={open}
            aria-label={`Menu of ${session?.username ?? "the user"}`}
            onClick={() => {
              setOpen(!open);
            }}
          >
            <span className="hapair-wide-only">{session?.username}</span>
          </MenuToggle>
        )}
      >
        <DropdownList>
          {THEMES.map((entry) => (
            <DropdownItem
              key={entry.theme}
              isSelected={theme === entry.theme}
              onClick={() => {
                choose(entry.theme);
              }}
            >
              {entry.text}
            </DropdownItem>
          ))}
          <Divider component="li" />
          <DropdownItem
            onClick={() => {
              navigate("/account");
            }}
          >
            Your account
          </DropdownItem>
          <DropdownItem onClick={() => void leaving.run(logOut)}>Log out</DropdownItem>
        </DropdownList>
      </Dropdown>
      {leaving.problem && (
        <AlertGroup isToast>
          <ProblemAlert problem={leaving.problem} onClose={leaving.clear} />
        </AlertGroup>
      )}
    </>
  );
}
