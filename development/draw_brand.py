"""Draws the eight brand images of Home Assistant's brands specification from two SVG files.

The icon is a square of 256 pixels (512 for `@2x`). The logo is the icon with the name next to
it, as high as the icon and trimmed at its sides. Both are also drawn for dark backgrounds.
"""

from io import BytesIO
from pathlib import Path
import shutil

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "brand-source"
BRAND = ROOT / "custom_components" / "openai_account" / "brand"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HEIGHT = 256

PAGE = """<!doctype html>
<style>
  body {{ margin: 0; width: max-content; display: flex; gap: {gap}px }}
  svg {{ height: {height}px; display: block }}
</style>
<body class="{theme}">{images}</body>"""


def draw(page: Page, sources: tuple[str, ...], theme: str, height: int) -> Image.Image:
    """Draw the sources side by side, `height` pixels high, on a transparent background."""
    images = "".join((SOURCE / f"{source}.svg").read_text("utf-8") for source in sources)
    page.set_content(PAGE.format(gap=height // 8, height=height, theme=theme, images=images))
    image = Image.open(BytesIO(page.locator("body").screenshot(omit_background=True)))
    box = image.getbbox()
    if box is None:
        raise SystemExit(f"{', '.join(sources)}: nothing was drawn")
    return image.crop((box[0], 0, box[2], height))


def main() -> None:
    """Write every image of the brand folder."""
    BRAND.mkdir(parents=True, exist_ok=True)
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 2000, "height": 600})
        for name, sources in (("icon", ("icon",)), ("logo", ("icon", "wordmark"))):
            for theme, prefix in (("light", ""), ("dark", "dark_")):
                for scale, suffix in ((1, ""), (2, "@2x")):
                    path = BRAND / f"{prefix}{name}{suffix}.png"
                    image = draw(page, sources, theme, HEIGHT * scale)
                    # 256 colors take a third of the bytes, and only the edges differ.
                    palette = image.quantize(
                        256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
                    )
                    palette.save(path, optimize=True)
                    size = path.stat().st_size
                    print(f"{path.name}: {image.width}x{image.height}, {size} bytes")
        browser.close()


if __name__ == "__main__":
    main()
