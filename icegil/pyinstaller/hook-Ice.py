"""What PyInstaller does not see that Ice needs: IcePy, which is compiled, looks modules up by name (Ice.Dispatch)."""

from PyInstaller.utils.hooks import collect_submodules, is_package

# Ice 3.6 is one file, which imports all that it needs.
hiddenimports = collect_submodules("Ice") if is_package("Ice") else []
