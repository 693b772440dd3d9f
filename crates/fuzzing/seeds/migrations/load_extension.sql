SELECT load_extension('escaped');
